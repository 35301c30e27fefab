#include "base/assert.hpp"
#include "membership/configuration_codec.hpp"
#include "membership/quorum.hpp"
#include "raft/core.hpp"

#include <array>

namespace caucus::raft {

using membership::change_request;
using membership::configuration;
using membership::member_change;
using membership::vote_result;

namespace {

/// 1, 2 and 3
std::string list_of(const std::set<node_id>& nodes) {
  std::string text;
  size_t left = nodes.size();
  for (auto id : nodes) {
    text += std::to_string(id.value());
    --left;
    text += left > 1 ? ", " : left == 1 ? " and " : "";
  }
  return text;
}

std::string who_has_not(const std::set<node_id>& silent, const std::string& what_not) {
  const bool is_one = silent.size() == 1;
  return (is_one ? "node " : "nodes ") + list_of(silent) + (is_one ? " has not " : " have not ")
         + what_not + ": ";
}

std::string name_half(const std::set<node_id>& half, const configuration& of) {
  return (&half == &of.voters ? "the voters that stay, " : "the voters so far, ") + list_of(half)
         + ",";
}

} // namespace

void core::on(propose_change& x) {
  if (refuse_as_outsider(x.request))
    return;
  if (role() == role::leader) {
    if (auto place = change_members(x.change))
      out_.accepted.push_back({x.request, *place});
    else
      out_.refused.push_back({x.request, place.reason().code, leader_, place.reason().what});
  } else if (const auto reason = unforwardable(); reason != errc::none) {
    out_.refused.push_back({x.request, reason, leader_});
  } else {
    forward(x.request, {.kind = entry_kind::configuration,
                        .payload = shared_bytes::copy_of(membership::encode(x.change))});
  }
}

void core::change_members(const command& forwarded, forward_reply& reply) {
  const auto asked = membership::decode_change_request(forwarded.payload.span());
  if (!asked) {
    reply.refused = errc::invalid_proposal;
    return;
  }
  if (auto place = change_members(*asked)) {
    reply.accepted = *place;
  } else {
    reply.refused = place.reason().code;
    reply.detail = place.reason().what;
  }
}

result<entry_id> core::change_members(const change_request& x) {
  auto next = plan_change(x);
  if (!next)
    return std::move(next).reason();
  return append_configuration(*std::move(next));
}

result<configuration> core::plan_change(const change_request& x) const {
  if (const auto reason = overloaded(); reason != errc::none)
    return error{reason, {}};
  // Without an entry of our own term an older leader's change, that we don't know, may still
  // commit, by a majority that misses ours (Ongaro 2015, RELIABILITY S-61).
  if (!has_committed_in_term())
    return error{errc::change_too_early, "the leader has not committed in its term yet"};
  // Two at once could differ by two voters, whose majorities may not meet (S-62).
  if (is_change_in_flight())
    return error{errc::change_in_flight,
                 "change " + std::to_string(latest_id().value())
                   + (members().is_joint() ? " is in its joint phase" : " is not committed yet")};
  if (x.expected_id && *x.expected_id != latest_id())
    return error{errc::configuration_mismatch,
                 "configuration " + std::to_string(latest_id().value()) + " is in force"};
  auto next = membership::plan_change(members(), x);
  if (!next || x.even_if_behind)
    return next;
  if (auto lag = find_lagging(*next); lag.code != errc::none)
    return lag;
  if (auto silent = find_unreachable(*next); silent.code != errc::none)
    return silent;
  return next;
}

error core::find_lagging(const configuration& next) const {
  const auto& leading = std::get<leader_role>(role_);
  for (auto id : next.voters) {
    if (id == options_.self || members().voters.contains(id))
      continue;
    const auto* peer = leading.peers.find(id);
    if (const auto match = peer == nullptr ? index_t{} : peer->match; !is_caught_up(match))
      return {errc::invalid_change, "node " + std::to_string(id.value()) + " has "
                                      + std::to_string(match.value()) + " of "
                                      + std::to_string(log_.last().value())
                                      + " entries: add it as staging, and it becomes a voter "
                                        "once it has caught up"};
  }
  return {errc::none, {}};
}

entry_id core::append_configuration(configuration next) {
  CAUCUS_ASSERT(!is_change_in_flight() || (members().is_joint() && latest_id() <= commit_));
  const auto payload = membership::encode_payload(next);
  const auto place =
    append_own({.kind = entry_kind::configuration, .payload = shared_bytes::copy_of(payload)});
  configurations_.append(place.index, std::move(next)); // In force at once (thesis §4.1).
  auto& leading = std::get<leader_role>(role_);
  leading.peers.follow(members(), options_.self, place.index);
  leading.right.change_members();
  announce_configuration();
  return place;
}

void core::finish_change() {
  if (role() != role::leader || is_handing_over() || latest_id() > commit_
      || !has_committed_in_term())
    return;
  if (members().is_joint()) {
    if (members().auto_leave)
      append_configuration(*membership::leave_joint(members()));
  } else if (!members().is_voter(options_.self)) {
    // Not before this is committed: only we may know of it (thesis §4.2.2, RELIABILITY S-70).
    on(step_down{});
  }
}

bool core::is_caught_up(index_t match) const noexcept {
  const auto last = log_.last().value();
  return match.value() >= last - last / 10;
}

membership::vote core::heard_lately(node_id id) const {
  using membership::vote;
  if (id == options_.self)
    return vote::granted;
  const auto* peer = std::get<leader_role>(role_).peers.find(id);
  if (peer == nullptr)
    return vote::refused;
  // What was heard before it slept says nothing of now.
  if (peer->is_in_touch() && peer->is_heard_awake)
    return vote::granted;
  return peer->was_silent ? vote::refused : vote::missing;
}

error core::find_unreachable(const configuration& x) const {
  using membership::vote;
  const auto heard = [this](node_id id) { return heard_lately(id); };
  for (const auto* half : {&x.voters, &x.outgoing}) {
    const auto reached = membership::tally_votes(*half, heard);
    if (half->empty() || reached == vote_result::won)
      continue;
    const bool is_lost = reached == vote_result::lost;
    std::set<node_id> silent;
    for (auto id : *half)
      if (heard(id) == vote::refused || (!is_lost && heard(id) == vote::missing))
        silent.insert(id);
    return is_lost
             ? error{errc::change_without_majority,
                     who_has_not(silent, "answered lately") + name_half(*half, x)
                       + " could not commit; bring "
                       + (silent.size() == 1 ? "it back or remove it" : "them back or remove them")
                       + " first"}
             : error{errc::change_too_early,
                     who_has_not(silent, "had the time to answer this leader yet")
                       + name_half(*half, x) + " could not be sure to commit; try again"};
  }
  return {errc::none, {}};
}

/// One at a time; the mark is in the configuration, so that a new leader goes on with it.
void core::promote_staging() {
  auto& leading = std::get<leader_role>(role_);
  if (members().staging.empty() || !has_committed_in_term() || is_change_in_flight()
      || is_handing_over())
    return;
  for (auto id : members().staging) {
    const auto* peer = leading.peers.find(id);
    // Null: ourselves, elected by who doesn't know yet that we are no voter for now.
    if (peer == nullptr || !is_caught_up(peer->match) || !peer->is_in_touch())
      continue;
    const std::array change{member_change{member_change::kind::make_voter, id}};
    auto next = membership::change_simply(members(), change);
    CAUCUS_ASSERT(next.ok());
    if (find_unreachable(next->members).code != errc::none)
      continue;
    append_configuration(std::move(next->members));
    return;
  }
}

/// Best effort: who leaves hears that this is committed, or is given up after a while.
void core::drop_departed() {
  const auto patience = 2 * options_.election_ticks;
  std::get<leader_role>(role_).peers.drop_leaving([&](progress& x) {
    if (commit_ < x.leaves_at)
      return false;
    const bool is_told = x.match >= x.leaves_at && x.commit_told >= x.leaves_at;
    return is_told || ++x.leaving_ticks > patience;
  });
}

bool core::is_leaving_peer(node_id from, term_t term) const noexcept {
  const auto* leading = as<leader_role>();
  return leading != nullptr && term == term_ && leading->peers.find(from) != nullptr;
}

void core::announce_configuration() {
  const auto& latest = configurations_.latest();
  out_.configuration = {latest.members, latest.id, latest.id <= commit_};
}

index_t core::removal_of(node_id id) const {
  const auto& committed = configurations_.as_of(commit_);
  const bool is_member = committed.members->is_member(id) || members().is_member(id);
  return is_member ? index_t{} : committed.id;
}

void core::note_removal(node_id from, const vote_reply& x) {
  if (!members().is_member(from))
    return;
  told_removed_by_ = std::max(told_removed_by_, x.removed_by);
  if (is_removed() && (role() == role::pre_candidate || role() == role::candidate))
    become_follower(term_, {});
}

// A leader goes on until another leads, or it gives up: what it has accepted may still commit.
bool core::is_outsider() const {
  if (role() == role::leader)
    return false;
  return is_removed()
         || (!members().is_member(options_.self)
             && !configurations_.as_of(commit_).members->is_member(options_.self));
}

/// Nobody would tell us what becomes of what we send on: refused before it can be in any log.
bool core::refuse_as_outsider(request_id request) {
  if (!is_outsider())
    return false;
  if (request == request_id{}) // Nobody waits for it.
    return true;
  const auto self = "node " + std::to_string(options_.self.value());
  const auto id = std::max(told_removed_by_, latest_id());
  const auto why = id == index_t{}
                     ? " is no member of the group yet"
                     : " is not in configuration " + std::to_string(id.value())
                         + (is_removed() ? ", which removed it" : ", the newest that it knows");
  out_.refused.push_back({request, errc::not_member, leader_, self + why + ": ask another node"});
  return true;
}

void core::note_departure() {
  const bool is_out = is_outsider();
  if (std::exchange(was_outsider_, is_out) || !is_out)
    return;
  refuse_forwarded();
  refuse_reads();
  out_.left_after = commit_;
}

} // namespace caucus::raft
