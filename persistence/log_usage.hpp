#pragma once

#include "base/ids.hpp"

#include <vector>

namespace caucus::persistence {

/// How much of a log on the disk is still needed. For whoever decides when to collect, and to tell
/// cold groups that a snapshot of theirs would set segments free.
struct log_usage {
  struct segment {
    uint64_t sequence = 0;
    uint64_t file_bytes = 0;
    uint64_t live_bytes = 0; ///< Of records, about.
  };
  struct holder {
    group_id group;
    uint64_t bytes = 0;
    index_t last; ///< The newest of them: a log that begins after it holds the segment no more.
  };

  std::vector<segment> segments; ///< Ascending; the last is being written.
  /// Damaged groups: while they are there nothing is collected, as it may be all that is left of
  /// them. They have to be deleted, or the node's log repaired.
  std::vector<group_id> pinned_by;

  [[nodiscard]] uint64_t file_bytes() const;
  [[nodiscard]] uint64_t live_bytes() const;
  /// There are older segments than the one that is being written, and nothing pins them.
  [[nodiscard]] bool can_collect() const { return segments.size() > 1 && pinned_by.empty(); }
  /// The files take more than twice what is needed and two segments: with the one that is being
  /// written the log stays below twice the live bytes and three segments.
  [[nodiscard]] bool wants_collection(uint64_t segment_bytes) const;
};

} // namespace caucus::persistence
