// A disk without room for entries, and one that doesn't come back: who can't write doesn't lead. A
// vote is small, and there is always room for it.

#include "raft/core.hpp"

namespace caucus::raft {

void core::on(const storage& x) {
  const bool had_room = std::exchange(has_room_, x.has_room);
  if (has_room_ || !had_room)
    return;
  if (role() == role::leader)
    on(step_down{});
  else if (role() != role::follower)
    become_follower(term_, {}); // A new leader begins with an entry.
}

/// Followers acknowledge for a leader whose own disk hangs, so that it would go on without it, and
/// with it its reads of the log, its snapshots and, after a crash, its part of the log.
void core::tick_storage() {
  if (durable_ >= awaited_)
    stalled_ticks_ = 0;
  else if (++stalled_ticks_ >= options_.election_ticks && role() == role::leader && !handover_)
    on(step_down{});
}

} // namespace caucus::raft
