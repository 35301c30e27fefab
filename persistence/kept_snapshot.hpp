#pragma once

#include "base/shared_bytes.hpp"
#include "persistence/record_place.hpp"
#include "raft/snapshot_boundary.hpp"

#include <vector>

namespace caucus::persistence {

/// One group's snapshot that is durable: in a file of its own, or in the log if it is small.
struct kept_snapshot {
  raft::snapshot_boundary at;
  int64_t wall_ns = 0;   ///< Of the last entry in it: the next one's is later.
  bool is_small = false; ///< Its bytes are in the log.
  record_place place;    ///< If it isn't small: of the newest record that names it.
  shared_bytes bytes;    ///< Of the machine, if small; a log that is running doesn't hold them.
};

/// A group's snapshot is durable, and its log needs to be kept from here on only.
struct snapshot_mark {
  kept_snapshot snapshot;
  /// The entry before the first one kept, at most the snapshot's last. What was forgotten before
  /// stays so: 0:0 changes nothing.
  raft::snapshot_boundary begins_after;
};

/// A larger snapshot is a file. With a hundred thousand tiny groups, small ones must not be.
inline constexpr size_t small_snapshot_bytes_max = size_t{64} << 10;
/// The newest may turn out to be damaged (RELIABILITY N-01).
inline constexpr size_t snapshots_kept = 2;

/// The one that ends with this entry, or null.
const kept_snapshot* find(const std::vector<kept_snapshot>& known, raft::entry_id last);
/// Adds one to those known, newest first, and drops those that are too many or end before the log
/// begins. False if it is itself one of these: a newer one came first (RELIABILITY N-09, S-52).
bool keep(std::vector<kept_snapshot>& known, kept_snapshot added, index_t begins_after);
/// Drops those that end before the log begins.
void drop_older(std::vector<kept_snapshot>& known, index_t begins_after);

} // namespace caucus::persistence
