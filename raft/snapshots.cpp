// Compaction, and peers that need what was compacted. The bytes of a snapshot never pass here: the
// shell makes, sends and stores them, the core decides who needs one and what it changes in a log.

#include "base/assert.hpp"
#include "raft/core.hpp"

#include <algorithm>

namespace caucus::raft {

snapshot_boundary core::boundary_at(index_t index) const {
  CAUCUS_ASSERT(index >= log_.before().index && index <= commit_);
  return {{index, log_.terms().term_at(index)}, configurations_.as_of(index)};
}

void core::on(const compact& x) {
  const auto upto = std::min(x.upto, apply_.applied());
  if (upto <= log_.before().index)
    return;
  log_.compact(upto);
  configurations_.compact(upto);
}

// -- leader ---------------------------------------------------------------------

/// Asked for again from time to time, in case the shell, or the peer, has lost what it was doing.
bool core::wants_snapshot(const progress& peer) const noexcept {
  const bool is_behind = peer.next <= log_.before().index && peer.leaves_at == index_t{};
  const bool is_due = peer.state != progress_state::snapshot || ticks_ >= peer.snapshot_due_tick;
  return is_behind && is_due && peer.answered_lately();
}

void core::ask_for_snapshot(progress& peer, ready& out) {
  if (peer.state != progress_state::snapshot)
    peer.become_snapshot();
  peer.snapshot_due_tick = ticks_ + 4 * uint64_t{options_.election_ticks};
  out.snapshots_wanted.push_back({peer.id, log_.before().index});
}

void core::on(const snapshot_sent& x) {
  auto* leading = as<leader_role>();
  auto* peer = leading == nullptr ? nullptr : leading->peers.find(x.to);
  if (peer == nullptr || peer->state != progress_state::snapshot)
    return; // An acknowledgement came first, or nobody needs to know any more.
  if (x.ok)
    peer->is_nudge_due = true; // Whether it has it, its answer tells: this report proves nothing.
  else
    peer->snapshot_due_tick = ticks_ + options_.heartbeat_ticks;
}

// -- follower -------------------------------------------------------------------

void core::on(snapshot_installed& x) {
  const auto last = x.at.last;
  CAUCUS_ASSERT(last.index != index_t{} && last.term != term_t{});
  if (last.term > term_) // Its sender's term is at least that. Never lowered (RELIABILITY S-05).
    become_follower(last.term, {});
  if (last.index > commit_) {
    if (log_.terms().contains(last)) {
      set_commit(last.index); // Our own entries lead there, and may go on after it (N-07).
    } else if (role() == role::leader) {
      ++noise_.invalid; // What is committed, a leader has: this is no snapshot of our group.
      return;
    } else {
      restore(x);
    }
  } // Else it's older than what we know to be committed (N-06).
  if (role() != role::follower || leader_ == node_id{})
    return;
  // What is committed equals the leader's; so replication goes on from here.
  reply_when_durable(
    leader_,
    append_reply{.term = term_, .accepted = true, .match = commit_, .priority = options_.priority},
    commit_);
}

/// The log begins anew after the snapshot; the machine loads it before any entry (S-59).
void core::restore(snapshot_installed& x) {
  const auto last = x.at.last;
  log_.restore(last);
  configurations_.restore(x.at.members);
  wall_ns_ = std::max(wall_ns_, x.wall_ns);
  std::erase_if(reads_, [this](const auto& read) { return read.to == options_.self; });
  read_to_apply_.clear();
  apply_.jump(last.index);
  set_commit(last.index);
  out_.restore = last;
  announce_configuration();
}

} // namespace caucus::raft
