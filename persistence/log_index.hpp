#pragma once

#include "base/result.hpp"
#include "persistence/group_log.hpp"

#include <mutex>
#include <optional>
#include <unordered_map>

namespace caucus::persistence {

/// Where the entries of every group are. The writer (or recovery) applies what a batch did to the
/// logs once the batch is on the disk; readers look up beside it. Per group a row per 64 KiB of its
/// entries or segment and four bytes a record, so that memory is bounded by the log's length and a
/// reader reads nothing but what it wants; and the terms of the whole log as runs. Thread-safe.
class log_index {
public:
  /// The part of a group's log that one row covers.
  struct located {
    replica_uid uid;
    index_t first;      ///< Of the row.
    index_t last;       ///< Of the row: entries after it are to be looked up anew.
    log_position batch; ///< The batch that begins with the row.
    record_places_in_segment records;
    bool is_moved = false; ///< They are of kind `moved`.
    uint64_t drops = 0;
  };

  /// A group's log as a whole.
  struct summary {
    replica_uid uid;
    raft::entry_id begins_after;
    index_t last;
    index_t first_unknown; ///< Of entries that should be there and aren't; 0: none.
    std::vector<raft::term_run> runs;
    size_t rows = 0;
  };

  /// Entries of a group that lie in one segment.
  struct stretch {
    group_id group;
    replica_uid uid;
    index_t first;
    index_t last;
    uint64_t bytes = 0;
    bool is_snapshot = false; ///< A small snapshot up to `first` instead.
  };

  void apply(const log_changes& changes, log_position batch);

  /// `no_such_group`, or `not_found` if the log does not have the index.
  [[nodiscard]] result<located> locate(group_id group, index_t index) const;
  /// Where the bytes of a small snapshot are.
  [[nodiscard]] result<located> locate_snapshot(group_id group, index_t index) const;

  /// How many of `entries`, from the front, are still the group's: read outside the lock, they may
  /// have been truncated and overwritten since.
  [[nodiscard]] size_t count_current(group_id group, replica_uid uid,
                                     const std::vector<raft::entry_ptr>& entries) const;
  /// Counts the times that the group lost entries at either end; 0 if it is unknown.
  [[nodiscard]] uint64_t drops(group_id group) const;

  [[nodiscard]] std::optional<summary> describe(group_id group) const;
  /// The last entry of a group's log if it were truncated at `first`, 0:0 if there is none.
  [[nodiscard]] raft::entry_id entry_before(group_id group, index_t first) const;
  /// Whether entries from `first` on would leave out some that never were.
  [[nodiscard]] bool would_leave_gap(group_id group, index_t first) const;
  /// Whether what a record of moved entries says is compatible with what is known.
  [[nodiscard]] bool agrees(const log_change& moved, std::span<const raft::term_run> runs) const;

  /// How much of `segment` the groups need.
  [[nodiscard]] segment_rows::use use_of(uint64_t segment) const;
  /// What they need of it. Looks at all rows.
  [[nodiscard]] std::vector<stretch> live_in(uint64_t segment) const;
  /// Which of a group's entries `first..last` lie in `segment`.
  [[nodiscard]] std::vector<stretch> live_in(uint64_t segment, group_id group, index_t first,
                                             index_t last) const;
  /// The segment is gone.
  void forget_upto(uint64_t segment);

private:
  void apply(group_log& log, const log_change& change, std::span<const raft::term_run> runs,
             log_position batch);
  [[nodiscard]] const group_log* find(group_id group) const;

  mutable std::mutex mutex_;
  std::unordered_map<group_id, group_log> groups_;
  segment_rows live_;
};

} // namespace caucus::persistence
