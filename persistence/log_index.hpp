#pragma once

#include "base/result.hpp"
#include "persistence/log_changes.hpp"
#include "persistence/log_position.hpp"

#include <mutex>
#include <optional>
#include <unordered_map>

namespace caucus::persistence {

/// Where the entries of every group are. The writer (or recovery) applies what a batch did to the
/// logs once the batch is on the disk; readers look up beside it. Per group a row per 64 KiB of its
/// entries or 4 MiB of the whole log, so that memory is bounded by the log's length and a reader
/// scans little; and the terms of the whole log as runs. Thread-safe.
class log_index {
public:
  /// The part of a group's log that one row covers.
  struct located {
    replica_uid uid;
    index_t first;       ///< Of the row.
    index_t last;        ///< Of the row: entries after it are to be looked up anew.
    log_position batch;  ///< The batch that begins with the row ...
    uint32_t record = 0; ///< ... and in it the record.
    uint64_t truncations = 0;
  };

  /// A group's log as a whole.
  struct summary {
    replica_uid uid;
    index_t last;
    std::vector<raft::term_run> runs;
    size_t rows = 0;
  };

  void apply(const log_changes& changes, log_position batch);

  /// `no_such_group`, or `not_found` if the log does not have the index.
  [[nodiscard]] result<located> locate(group_id group, index_t index) const;

  /// How many of `entries`, from the front, are still the group's: read outside the lock, they may
  /// have been truncated and overwritten since.
  [[nodiscard]] size_t count_current(group_id group, replica_uid uid,
                                     const std::vector<raft::entry_ptr>& entries) const;
  /// Counts the group's truncations; 0 if it is unknown.
  [[nodiscard]] uint64_t truncations(group_id group) const;

  [[nodiscard]] std::optional<summary> describe(group_id group) const;
  /// The last entry of a group's log if it were truncated at `first`, 0:0 if there is none.
  [[nodiscard]] raft::entry_id entry_before(group_id group, index_t first) const;

private:
  struct row {
    index_t first;
    uint32_t record = 0;
    log_position batch;
  };

  struct group_log {
    replica_uid uid;
    index_t last;
    std::vector<raft::term_run> runs;
    std::vector<row> rows;
    uint64_t row_bytes = 0; ///< Of this group's entries in the last row.
    uint64_t truncations = 1;
  };

  static void append(group_log& log, const log_change& change, std::span<const raft::term_run> runs,
                     log_position batch);
  static void truncate(group_log& log, index_t from);

  mutable std::mutex mutex_;
  std::unordered_map<group_id, group_log> groups_;
};

} // namespace caucus::persistence
