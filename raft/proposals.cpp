#include "base/assert.hpp"
#include "raft/core.hpp"

namespace caucus::raft {

errc core::inadmissible(const command& x) const noexcept {
  // No-ops and configurations are the core's own: nobody slips one in through a proposal.
  if (x.kind == entry_kind::no_op || x.kind == entry_kind::configuration)
    return errc::invalid_proposal;
  return x.payload.size() > options_.proposal_bytes_max ? errc::proposal_too_large : errc::none;
}

errc core::overloaded() const noexcept {
  if (is_handing_over())
    return errc::handing_over;
  const auto& proposed = std::get<leader_role>(role_).proposed;
  return proposed.bytes() >= options_.uncommitted_bytes_max ? errc::proposal_dropped : errc::none;
}

errc core::unforwardable() const noexcept {
  // Its entry wouldn't be taken here, so that nobody here would learn its fate (RELIABILITY E-05).
  if (!has_room_)
    return errc::storage_full;
  const auto* following = as<follower_role>();
  // What goes into a broken link would come back as unknown, when it is certainly not executed.
  if (leader_ == node_id{} || (following != nullptr && following->is_leader_unreachable))
    return errc::no_leader;
  return options_.forward_proposals ? errc::none : errc::not_leader;
}

entry_id core::append_own(command body) {
  auto& leading = std::get<leader_role>(role_);
  leading.idle_ticks = 0;
  wall_ns_ = std::max(now_.wall_ns, wall_ns_ + 1);
  auto x = std::make_shared<const entry>(
    entry{.id = {log_.last() + 1, term_}, .wall_ns = wall_ns_, .body = std::move(body)});
  leading.proposed.add(*x);
  const auto id = x->id;
  log_.append(std::move(x));
  return id;
}

void core::on(propose& x) {
  if (refuse_as_outsider(x.request))
    return;
  auto reason = inadmissible(x.body);
  if (reason == errc::none && role() == role::leader)
    reason = overloaded();
  else if (reason == errc::none)
    reason = unforwardable();
  if (reason != errc::none)
    out_.refused.push_back({x.request, reason, leader_});
  else if (role() == role::leader)
    out_.accepted.push_back({x.request, append_own(std::move(x.body))});
  else
    forward(x.request, std::move(x.body));
}

/// One hop to the leader, in the order of the proposals: links are FIFO and so is the leader's log.
void core::forward(request_id request, command body) {
  auto& waiting = std::get<follower_role>(role_).forwarded;
  const auto bytes = body.payload.size() + sizeof(body);
  if (waiting.size() >= options_.forwarded_max
      || waiting.bytes() + bytes > options_.forwarded_bytes_max) {
    out_.refused.push_back({request, errc::proposal_dropped, leader_});
    return;
  }
  waiting.push({request, bytes, ticks_});
  out_.messages.push_back({leader_, forward_proposal{request, std::move(body)}});
}

void core::on(node_id from, forward_proposal& x) {
  forward_reply reply{.request = x.request, .leader = leader_};
  // Accepting isn't held for the disk: it tells the place only. If we forget it, no leader of this
  // term will ever put another entry there.
  if (role() != role::leader) {
    reply.refused = errc::not_leader; // One hop only: it could go in circles (RELIABILITY S-38).
  } else if (x.body.kind == entry_kind::configuration) {
    change_members(x.body, reply);
  } else {
    reply.refused = inadmissible(x.body);
    if (reply.refused == errc::none)
      reply.refused = overloaded();
    if (reply.refused == errc::none)
      reply.accepted = append_own(std::move(x.body));
  }
  if (reply.refused == errc::none)
    if (auto* peer = std::get<leader_role>(role_).peers.find(from))
      peer->commit_due = reply.accepted.index;
  out_.messages.push_back({from, std::move(reply)});
}

void core::on(node_id from, const forward_reply& x) {
  auto* following = as<follower_role>();
  const bool is_of_our_leader = from == leader_ && following != nullptr
                                && (x.refused != errc::none || x.accepted.term == term_);
  if (!is_of_our_leader || !following->forwarded.remove(x.request))
    ++noise_.stale_reply; // Its caller was told already that nobody knows.
  else if (x.refused == errc::none)
    out_.accepted.push_back({x.request, x.accepted});
  else
    out_.refused.push_back({x.request, x.refused, x.leader, x.detail});
}

void core::refuse_forwarded() {
  if (auto* following = as<follower_role>())
    while (!following->forwarded.empty())
      out_.refused.push_back({following->forwarded.pop().request, errc::leadership_lost, {}});
}

/// On a link that loses messages without failing, an answer may never come.
void core::expire_forwarded() {
  auto* following = as<follower_role>();
  const uint64_t patience = 2 * uint64_t{options_.election_ticks};
  while (following != nullptr && !following->forwarded.empty()
         && following->forwarded.oldest().sent_tick + patience <= ticks_)
    out_.refused.push_back({following->forwarded.pop().request, errc::leadership_lost, {}});
}

} // namespace caucus::raft
