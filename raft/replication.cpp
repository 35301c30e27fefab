#include "base/assert.hpp"
#include "membership/quorum.hpp"
#include "raft/core.hpp"

namespace caucus::raft {

void core::tick_leader() {
  auto& leading = std::get<leader_role>(role_);
  for (auto& peer : leading.peers)
    peer.is_read_failed = false;
  drop_departed();
  if (++leading.heartbeat_elapsed >= options_.heartbeat_ticks) {
    leading.heartbeat_elapsed = 0;
    send_heartbeats();
  }
  if (++leading.quorum_elapsed >= options_.election_ticks) {
    leading.quorum_elapsed = 0;
    check_quorum();
  }
  if (role() != role::leader)
    return;
  promote_staging();
  yield_to_priority();
  tick_idle();
}

void core::send_heartbeats() {
  auto& leading = std::get<leader_role>(role_);
  leading.is_heartbeat_due = leading.peers.begin() != leading.peers.end();
}

/// Who hears no majority can't know whether another leads by now (thesis §6.2; S-11).
void core::check_quorum() {
  auto& peers = std::get<leader_role>(role_).peers;
  auto result = membership::tally_votes(members(), [&](node_id id) {
    const auto* peer = peers.find(id);
    const bool is_active = id == options_.self || (peer != nullptr && peer->is_active);
    return is_active ? membership::vote::granted : membership::vote::refused;
  });
  for (auto& peer : peers) {
    peer.was_active = std::exchange(peer.is_active, false);
    peer.was_silent = !peer.was_active;
  }
  if (options_.check_quorum && result != membership::vote_result::won)
    become_follower(term_, {});
}

void core::advance_commit() {
  const auto& leading = std::get<leader_role>(role_);
  auto majority = membership::committed_index(members(), [&](node_id id) {
    if (id == options_.self) // Our own disk counts like any other's: when it's done (S-30).
      return log_.persisted();
    const auto* peer = leading.peers.find(id);
    return peer == nullptr ? index_t{} : peer->match;
  });
  // By counting, only our own term's entries commit; older ones with them (thesis §3.6.2, S-17).
  if (majority >= leading.term_start && majority != membership::unbounded_index)
    set_commit(majority);
}

void core::on(node_id from, const append_reply& x) {
  if (!is_current_reply(from, x.term))
    return;
  auto* leading = as<leader_role>();
  auto* peer = leading == nullptr ? nullptr : leading->peers.find(from);
  if (peer == nullptr) { // Progress of a leadership that is over (RELIABILITY S-36).
    ++noise_.wrong_role;
    return;
  }
  // Who waits for a snapshot may have got it from anybody, but none goes beyond what is committed.
  if (peer->state == progress_state::snapshot)
    peer->sent = std::max(peer->sent, std::min(x.match, commit_));
  if (x.match > peer->sent || x.prev > peer->sent) {
    ++noise_.beyond_sent;
    return;
  }
  peer->note_heard();
  peer->priority = x.priority;
  if (!x.accepted) {
    handle_rejection(*peer, x);
    return;
  }
  // An acknowledgement of an earlier append is true as well, but doesn't answer the probe.
  const bool answers_probe = peer->state == progress_state::probe && x.match + 1 >= peer->next;
  const bool is_news = peer->acknowledge(x.match);
  const bool has_caught_up =
    peer->state == progress_state::snapshot && peer->next > log_.before().index;
  if (answers_probe || has_caught_up)
    peer->become_replicate();
  if (is_news) {
    advance_commit();
    hand_over();
  }
}

void core::handle_rejection(progress& peer, const append_reply& x) {
  const bool is_waiting = peer.state == progress_state::snapshot;
  const bool is_outstanding = peer.state == progress_state::probe
                                ? x.prev + 1 == peer.next
                                : x.prev > peer.match && (is_waiting || x.prev < peer.next);
  if (!is_outstanding || x.prev == index_t{}) { // Refused before we knew better (S-27, S-28).
    ++noise_.stale_reply;
    return;
  }
  // The furthest place where both logs may agree: below the refused entry, not above the hint, and
  // of no later term than the hint's. Skips whole terms at a time.
  const auto limit = std::min(x.hint.index, x.prev - 1);
  const auto agreed = limit < log_.before().index
                        ? limit // Compacted here: only a snapshot helps.
                        : log_.terms().last_up_to(limit, x.hint.term).index;
  if (is_waiting && agreed < log_.before().index)
    return; // It still lacks what was compacted.
  peer.become_probe(std::max(peer.match, agreed) + 1);
}

void core::on(node_id from, const heartbeat_reply& x) {
  if (!is_current_reply(from, x.term))
    return;
  auto* leading = as<leader_role>();
  auto* peer = leading == nullptr ? nullptr : leading->peers.find(from);
  if (peer == nullptr) {
    ++noise_.wrong_role;
    return;
  }
  peer->note_heard();
  on_echo(*peer, x);
  peer->is_read_failed = false;
  peer->is_paused = false; // The link works: ask again what was lost (RELIABILITY S-37).
  // There is nothing left to probe with, so only this ends it; sleep waits for that (is_idle).
  if (peer->state == progress_state::probe && peer->match == log_.last())
    peer->become_replicate();
  if (peer->state == progress_state::replicate && peer->match + 1 < peer->next)
    peer->is_nudge_due = true;
  if (peer->state == progress_state::snapshot)
    peer->is_nudge_due = true;
}

bool core::has_entries_to_send(const progress& peer) const noexcept {
  if (peer.state == progress_state::snapshot || peer.next <= log_.before().index
      || peer.next > log_.last())
    return false; // Nothing new, or compacted: then only a snapshot helps.
  if (peer.state == progress_state::probe)
    return !peer.is_paused;
  return peer.window.messages() < options_.inflight_messages_max
         && peer.window.bytes() < options_.inflight_bytes_max;
}

bool core::wants_peer_read(const progress& peer) const noexcept {
  // A probe goes without entries instead: where the logs agree is still a guess.
  return peer.state == progress_state::replicate && has_entries_to_send(peer)
         && !log_.is_in_memory(peer.next) && !peer.is_read_failed && !is_reading_for(peer.id);
}

bool core::wants_empty_append(const progress& peer) const noexcept {
  if (peer.state == progress_state::probe)
    return has_entries_to_send(peer) && !log_.is_in_memory(peer.next);
  if (peer.state == progress_state::snapshot)
    return peer.is_nudge_due;
  const bool is_commit_due = peer.commit_told < commit_ && peer.commit_told < peer.commit_due;
  return peer.next > log_.before().index && (peer.is_nudge_due || is_commit_due);
}

bool core::wants_replication(const progress& peer) const noexcept {
  return (has_entries_to_send(peer) && log_.is_in_memory(peer.next)) || wants_peer_read(peer)
         || wants_empty_append(peer) || wants_snapshot(peer);
}

void core::replicate(progress& peer, ready& out) {
  if (wants_snapshot(peer))
    ask_for_snapshot(peer, out);
  while (has_entries_to_send(peer) && log_.is_in_memory(peer.next)) {
    std::vector<entry_ptr> entries;
    const auto bytes = log_.copy(peer.next, log_.last(), options_.append_bytes_max, entries);
    send_append(peer, std::move(entries), bytes, out);
  }
  if (wants_peer_read(peer))
    read_log(peer.id, peer.next, log_.tail_first() - 1, options_.append_bytes_max, out);
  if (wants_empty_append(peer))
    send_append(peer, {}, 0, out);
}

void core::send_append(progress& peer, std::vector<entry_ptr> entries, uint64_t bytes, ready& out) {
  // While it waits for a snapshot, the first place that is left is what it may match at.
  const bool is_waiting = peer.state == progress_state::snapshot;
  const auto prev = is_waiting ? log_.before().index : peer.next - 1;
  const auto proves = prev + entries.size();
  peer.sent = std::max(peer.sent, proves);
  peer.commit_told = commit_;
  peer.is_nudge_due = false;
  if (peer.state == progress_state::probe) {
    peer.is_paused = true;
  } else if (!entries.empty()) {
    peer.window.add(proves, bytes);
    peer.next = proves + 1;
  }
  out.messages.push_back({peer.id, append_entries{.term = term_,
                                                  .prev = {prev, log_.terms().term_at(prev)},
                                                  .leader_commit = commit_,
                                                  .entries = std::move(entries)}});
}

} // namespace caucus::raft
