#include "base/assert.hpp"
#include "raft/core.hpp"

#include <algorithm>

namespace caucus::raft {

bool core::has_ready() const noexcept {
  const bool is_nothing_said =
    out_.messages.empty() && out_.heartbeats.empty() && out_.heartbeat_replies.empty()
    && out_.accepted.empty() && out_.refused.empty() && out_.reads.empty()
    && out_.reads_ready.empty() && out_.transferred.empty() && out_.soft_changes.empty()
    && !out_.configuration && !out_.restore && !out_.left_after;
  if (!is_nothing_said || log_.has_unwritten() || hard() != handed_hard_)
    return true;
  const bool is_applicable = apply_.next() <= applicable() && apply_.has_room()
                             && (!read_to_apply_.empty() || log_.is_in_memory(apply_.next()));
  if (is_applicable || wants_apply_read())
    return true;
  const auto* leading = as<leader_role>();
  if (leading == nullptr)
    return wants_to_ask();
  return wants_round()
         || std::any_of(leading->peers.begin(), leading->peers.end(),
                        [this](const progress& x) { return wants_replication(x); });
}

ready core::take_ready(instant now) {
  now_ = now;
  if (role() == role::leader)
    send_round();
  else if (wants_to_ask())
    ask_leader();
  if (std::exchange(is_renewing_promise_, false))
    renew_promise(); // Counted from when the answer leaves: not earlier than its leader counts.
  auto out = std::move(out_); // Its vectors are empty now, its options aren't.
  out_.restore.reset();
  out_.configuration.reset();
  out_.left_after.reset();
  if (auto* leading = as<leader_role>())
    for (auto& peer : leading->peers)
      replicate(peer, out);
  collect_persist(out);
  collect_committed(out);
  // Only now: what was sent, written and handed out above came from memory.
  log_.evict({options_.tail_bytes_max, options_.tail_bytes_kept}, spent());
  return out;
}

index_t core::spent() const noexcept {
  auto upto = apply_.handed();
  if (const auto* leading = as<leader_role>())
    for (const auto& peer : leading->peers)
      if (peer.state != progress_state::snapshot && !peer.was_silent)
        upto = std::min(upto, peer.match);
  return upto;
}

void core::collect_persist(ready& out) {
  const auto now = hard();
  if (!log_.has_unwritten() && now == handed_hard_)
    return;
  auto& batch = out.persist.emplace();
  batch.seq = next_seq_;
  ++next_seq_;
  const bool is_promise = now.term != handed_hard_.term || now.voted_for != handed_hard_.voted_for;
  if (now != handed_hard_) {
    batch.hard = now;
    handed_hard_ = now;
  }
  if (is_promise)
    promise_seq_ = batch.seq;
  batch.must_sync = is_promise || log_.has_unwritten();
  if (batch.must_sync)
    awaited_ = batch.seq;
  log_.hand_over(batch);
}

void core::collect_committed(ready& out) {
  if (!read_to_apply_.empty() && apply_.has_room())
    apply_.take(std::exchange(read_to_apply_, {}), out.committed);
  apply_.take(log_, applicable(), out.committed);
  if (wants_apply_read())
    read_log(options_.self, apply_.next(), std::min(applicable(), log_.tail_first() - 1),
             apply_.room(), out);
}

} // namespace caucus::raft
