// Leadership transfer (thesis §3.10): the leader takes no more proposals, brings the target up to
// its own last entry and tells it to campaign at once. Whatever goes wrong, the old leader goes on
// after an election timeout.

#include "base/assert.hpp"
#include "raft/core.hpp"

#include <algorithm>
#include <tuple>

namespace caucus::raft {

namespace {

/// Callers of one transfer; more are refused.
constexpr size_t requests_max = 64;

} // namespace

void core::on(const transfer& x) {
  if (refuse_as_outsider(x.request))
    return;
  auto* leading = as<leader_role>();
  const auto target = x.target != node_id{} || leading == nullptr ? x.target : best_target();
  if (leading == nullptr)
    refuse_transfer(x.request, errc::not_leader);
  else if (!members().voters.contains(target) || leading->peers.find(target) == nullptr)
    refuse_transfer(x.request, errc::invalid_target); // Also who leaves with the joint phase.
  else
    begin_handover(target, x.request);
}

void core::on(const step_down& x) {
  if (refuse_as_outsider(x.request))
    return;
  if (role() != role::leader) {
    refuse_transfer(x.request, errc::not_leader);
    return;
  }
  if (const auto target = best_target(); target != node_id{}) {
    begin_handover(target, x.request);
    handover_->must_step_down = true;
    return;
  }
  become_follower(term_, {});
  if (x.request != request_id{})
    out_.transferred.push_back({x.request, {}});
}

void core::begin_handover(node_id target, request_id request) {
  if (handover_ && (handover_->target != target || handover_->term != term_))
    fail_handover(); // The newer wish counts.
  if (!handover_)
    handover_ = handover{.target = target, .term = term_, .since_tick = ticks_};
  if (handover_->requests.size() >= requests_max)
    refuse_transfer(request, errc::proposal_dropped);
  else
    handover_->requests.push_back(request);
  hand_over();
}

/// Nothing is proposed while it lasts: the target must have everything when it campaigns, and what
/// came after would be lost (RELIABILITY S-15).
bool core::is_handing_over() const noexcept { return handover_ && role() == role::leader; }

/// Tells the target once it has all that we have; durably, for so it has acknowledged it.
void core::hand_over() {
  if (!is_handing_over())
    return;
  auto& leading = std::get<leader_role>(role_);
  const auto* peer = leading.peers.find(handover_->target);
  if (peer == nullptr || peer->match < log_.last())
    return;
  // However late it comes: this message makes voters forget what they promised.
  leading.right.end();
  out_.messages.push_back({handover_->target, timeout_now{term_}});
}

void core::tick_handover() {
  if (!handover_)
    return;
  const auto ticks = ticks_ - handover_->since_tick;
  if (!is_handing_over()) {
    if (ticks >= 2 * uint64_t{options_.election_ticks})
      fail_handover();
  } else if (ticks >= options_.election_ticks) {
    const bool must_step_down = handover_->must_step_down;
    fail_handover();
    if (must_step_down)
      become_follower(term_, {});
  } else {
    hand_over(); // It, or the answer, may be lost.
  }
}

void core::fail_handover() {
  for (auto request : handover_->requests)
    refuse_transfer(request, errc::transfer_failed);
  handover_.reset();
}

/// Somebody leads: is it whom we wanted?
void core::settle_handover(node_id leader) {
  if (!handover_ || term_ == handover_->term)
    return;
  if (leader != handover_->target) {
    fail_handover();
    return;
  }
  for (auto request : handover_->requests)
    if (request != request_id{})
      out_.transferred.push_back({request, leader});
  handover_.reset();
}

void core::refuse_transfer(request_id request, errc reason) {
  if (request != request_id{}) // Else nobody waits for it.
    out_.refused.push_back({request, reason, leader_});
}

/// The voter that would take over best: heard lately, of the highest priority, the furthest in its
/// log. 0: there is none.
node_id core::best_target() const {
  const progress* best = nullptr;
  const auto rank = [](const progress& x) { return std::tuple{x.priority, x.match}; };
  for (const auto& peer : std::get<leader_role>(role_).peers)
    if (peer.priority > 0 && peer.answered_lately() && members().voters.contains(peer.id)
        && (best == nullptr || rank(*best) < rank(peer)))
      best = &peer;
  return best == nullptr ? node_id{} : best->id;
}

/// Who came to lead because a better one was away gives way when that one is back: once in a
/// leadership, and to a higher priority only, so that it can't go back and forth.
void core::yield_to_priority() {
  auto& leading = std::get<leader_role>(role_);
  if (leading.has_yielded || handover_ || !has_committed_in_term())
    return;
  const auto target = best_target();
  if (target == node_id{})
    return;
  const auto& peer = *leading.peers.find(target);
  if (peer.priority <= options_.priority || peer.match < commit_)
    return;
  leading.has_yielded = true;
  begin_handover(target, {});
}

} // namespace caucus::raft
