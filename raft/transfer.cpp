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
  else {
    begin_handover(target);
    await_handover(handover_->requests, x.request);
  }
}

void core::on(const step_down& x) {
  if (refuse_as_outsider(x.request))
    return;
  if (role() != role::leader) {
    refuse_transfer(x.request, errc::not_leader);
    return;
  }
  if (const auto target = best_target(); target != node_id{}) {
    begin_handover(target);
    handover_->must_step_down = true;
    await_handover(handover_->step_downs, x.request);
    return;
  }
  become_follower(term_, {});
  if (x.request != request_id{})
    out_.transferred.push_back({x.request, {}});
}

void core::begin_handover(node_id target) {
  if (handover_ && (handover_->target != target || handover_->term != term_))
    fail_handover(); // The newer wish counts.
  if (!handover_)
    handover_ = handover{.target = target, .term = term_, .since_tick = ticks_};
  hand_over();
}

void core::await_handover(std::vector<request_id>& answered_with, request_id request) {
  if (answered_with.size() >= requests_max)
    refuse_transfer(request, errc::proposal_dropped);
  else if (request != request_id{}) // Else nobody waits for it.
    answered_with.push_back(request);
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
    if (handover_->must_step_down)
      become_follower(term_, {});
    fail_handover();
  } else {
    hand_over(); // It, or the answer, may be lost.
  }
}

/// The target doesn't lead; but who only wanted that we don't has what it wanted.
void core::fail_handover() {
  for (auto request : handover_->requests)
    refuse_transfer(request, errc::transfer_failed);
  for (auto request : handover_->step_downs)
    if (role() == role::leader)
      refuse_transfer(request, errc::transfer_failed);
    else
      out_.transferred.push_back({request, leader_});
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
  for (const auto* waiting : {&handover_->requests, &handover_->step_downs})
    for (auto request : *waiting)
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
    if (peer.priority > 0 && peer.is_in_touch() && members().voters.contains(peer.id)
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
  begin_handover(target);
}

} // namespace caucus::raft
