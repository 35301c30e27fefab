// Groups with nothing to do sleep: no tick counts and nothing is sent until something happens
// (REQUIREMENTS B7). Sleep promises nothing and is no state of the protocol: a sleeper answers
// whatever comes, and all that may go wrong is that somebody wakes for nothing, or late.
//
// Liveness is the shell's meanwhile: a sleeping follower is told by `peer_unreachable`, once in an
// election timeout for as long as it is so, that its leader's node is gone.

#include "base/assert.hpp"
#include "raft/core.hpp"

#include <algorithm>

namespace caucus::raft {

namespace {

/// Of what wakes: not the clock, nor that our own disk, machine or snapshot is done.
struct is_news {
  bool operator()(const tick&) const noexcept { return false; }
  bool operator()(const persisted&) const noexcept { return false; }
  bool operator()(const applied&) const noexcept { return false; }
  bool operator()(const log_read_done&) const noexcept { return false; }
  bool operator()(const compact&) const noexcept { return false; }
  bool operator()(const read& x) const noexcept { return x.consistency != consistency::stale; }
  template <class Input>
  bool operator()(const Input&) const noexcept {
    return true;
  }
};

} // namespace

void core::wake_for(const input& x) {
  // The death of another follower is the leader's business.
  const auto* link = std::get_if<peer_unreachable>(&x);
  if (link != nullptr && role() == role::follower && link->peer != leader_)
    return;
  // Late answers to our last heartbeats, where round trips take longer than a tick.
  const auto* arrived = std::get_if<received>(&x);
  const auto* echo = arrived == nullptr ? nullptr : std::get_if<heartbeat_reply>(&arrived->body);
  if (echo != nullptr && role() == role::leader && echo->term == term_)
    return;
  if (std::visit(is_news{}, x))
    wake();
}

void core::wake() {
  if (!std::exchange(is_asleep_, false))
    return;
  if (auto* leading = as<leader_role>()) {
    leading->idle_ticks = 0;
    leading->quorum_elapsed = 0; // Nobody was asked for anything.
    // What it heard before must not send it to sleep again: woken for nothing now and then, a
    // leader that can't hear would never check its quorum (RELIABILITY S-11).
    for (auto& peer : leading->peers)
      peer.is_heard_awake = false;
    send_heartbeats(); // Wakes the others.
  } else {
    restart_election_timer();
  }
}

// -- leader ---------------------------------------------------------------------

/// Everybody has everything, knows it, and waits for nothing. A silent member keeps the group
/// awake.
bool core::is_idle() const {
  const auto& leading = std::get<leader_role>(role_);
  const auto last = log_.last();
  const bool is_done = commit_ == last && log_.persisted() == last && apply_.applied() == last
                       && promise_after() == persist_seq{};
  const bool is_settled = !is_change_in_flight() && members().staging.empty()
                          && members().is_voter(options_.self) && !handover_;
  return is_done && is_settled && waiting_reads() == 0
         && std::all_of(leading.peers.begin(), leading.peers.end(), [last](const progress& x) {
              return x.state == progress_state::replicate && x.match == last
                     && x.leaves_at == index_t{} && x.answered_lately() && x.is_heard_awake;
            });
}

void core::tick_idle() {
  auto& leading = std::get<leader_role>(role_);
  if (options_.quiesce_ticks == 0 || !is_idle()) {
    leading.idle_ticks = 0;
    return;
  }
  // In place of heartbeats: those of the last round are answered by now.
  const bool is_alone = leading.peers.begin() == leading.peers.end();
  if (++leading.idle_ticks < options_.quiesce_ticks || !(leading.is_heartbeat_due || is_alone))
    return;
  leading.is_heartbeat_due = false;
  for (const auto& peer : leading.peers)
    out_.messages.push_back({peer.id, quiesce{.term = term_, .last = log_.last_entry()}});
  is_asleep_ = true;
}

// -- follower -------------------------------------------------------------------

/// After a link's failure an old leader's word may still be under way, and nothing would wake us.
void core::stay_awake() { awake_until_tick_ = ticks_ + options_.election_ticks; }

bool core::may_sleep() const {
  const auto* following = as<follower_role>();
  return options_.quiesce_ticks > 0 && following != nullptr && leader_ != node_id{}
         && following->forwarded.empty() && waiting_reads() == 0 && !handover_
         && !apply_.is_read_failed() && promise_after() == persist_seq{}
         && ticks_ >= awake_until_tick_;
}

// Who can't sleep answers as it would an empty append there, which wakes the leader.
void core::on(node_id from, const quiesce& x) {
  append_entries question{.term = x.term, .prev = x.last, .leader_commit = x.last.index};
  if (x.term < term_) {
    on(from, question);
    return;
  }
  become_follower_of(from, x.term);
  if (log_.last_entry() != x.last || !may_sleep()) {
    accept_entries(from, question);
    return;
  }
  set_commit(x.last.index); // It is ours, and so is all before it (Log Matching).
  is_asleep_ = true;
}

/// Who never campaigns finds a leader that sleeps by asking who would vote for it; the answers are
/// nothing to it, but whoever leads wakes and tells.
void core::call_for_leader() {
  if (options_.quiesce_ticks == 0 || is_removed() || !members().is_member(options_.self))
    return;
  const request_vote ask{.term = term_ + 1, .last = log_.last_entry(), .is_pre_vote = true};
  for (auto id : members().members())
    if (id != options_.self)
      out_.messages.push_back({id, ask});
}

} // namespace caucus::raft
