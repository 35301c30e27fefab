#pragma once

#include "persistence/log_changes.hpp"
#include "persistence/log_position.hpp"
#include "persistence/record_places_in_segment.hpp"
#include "persistence/segment_rows.hpp"

#include <optional>
#include <span>
#include <vector>

namespace caucus::persistence {

/// Where the entries of one group are and which terms they have.
///
///     begins_after | row | row | ... | row | last
///
/// While a log is read whose older segments were deleted, a stretch may be unknown until a record
/// that GC moved fills it: it has no row, and term 0. Not thread-safe.
class group_log {
public:
  /// A stretch of the log whose records are of one kind, in one segment.
  struct row {
    index_t first;
    index_t last;
    log_position batch;               ///< The batch that begins with the row, or before it.
    record_places_in_segment records; ///< All of them, so that other groups' needn't be read.
    bool is_moved = false;
    uint64_t bytes = 0; ///< Of the records that are still needed for it, about.
  };
  /// Where a small snapshot's bytes are.
  struct snapshot_row {
    index_t index;
    log_position batch;
    uint32_t record = 0;
    uint32_t bytes = 0;
  };

  /// `is_whole`: the group begins here. Else older segments may have held some of its log.
  group_log(replica_uid uid, bool is_whole) : uid_{uid}, is_end_known_{is_whole} {}

  [[nodiscard]] replica_uid uid() const noexcept { return uid_; }
  /// The entry before the first one that is kept; 0:0 if none was dropped.
  [[nodiscard]] raft::entry_id begins_after() const noexcept { return begins_after_; }
  [[nodiscard]] index_t last() const noexcept { return last_; }
  [[nodiscard]] std::span<const row> rows() const noexcept { return rows_; }
  [[nodiscard]] std::span<const raft::term_run> runs() const noexcept { return runs_; }
  [[nodiscard]] std::span<const snapshot_row> small_snapshots() const noexcept { return small_; }
  /// Counts the times that entries went from either end.
  [[nodiscard]] uint64_t drops() const noexcept { return drops_; }

  /// The row that has `index`, or null.
  [[nodiscard]] const row* find_row(index_t index) const;
  /// 0 if the log doesn't have it, or it isn't known (yet).
  [[nodiscard]] term_t term_at(index_t index) const;
  /// The last entry if the log were truncated at `first`; 0:0 if there is none.
  [[nodiscard]] raft::entry_id entry_before(index_t first) const;
  /// Entries from `first` on would leave entries out that never were.
  [[nodiscard]] bool would_leave_gap(index_t first) const;
  /// Nothing of what `change` says contradicts what is known of the terms.
  [[nodiscard]] bool agrees(const log_change& change, std::span<const raft::term_run> runs) const;
  /// The first index that isn't known, 0 if all are.
  [[nodiscard]] index_t first_unknown() const;

  void append(const log_change& change, std::span<const raft::term_run> runs, log_position batch,
              segment_rows& live);
  void truncate(index_t from, segment_rows& live);
  /// Forgets `upto` and what is before.
  void compact(raft::entry_id upto, segment_rows& live);
  /// Nothing is left; the log goes on after `after`.
  void restart(raft::entry_id after, segment_rows& live);
  /// Entries that are in the log, or were while their segment was there, lie at another place now.
  void move(const log_change& change, std::span<const raft::term_run> runs, log_position batch,
            segment_rows& live);
  /// The log ended here: what isn't known of it will have to come.
  void end_at(index_t last);
  void keep_snapshot(const log_change& change, log_position batch, segment_rows& live);
  void drop_snapshots(index_t below, segment_rows& live);
  /// The group is gone.
  void clear(segment_rows& live);

private:
  void extend_unknown(index_t upto);
  void drop_rows_from(index_t from, segment_rows& live);
  /// Makes room for entries `first..last` among the rows; returns where.
  size_t cut_out(index_t first, index_t last, segment_rows& live);
  void fill_terms(index_t first, index_t last, std::span<const raft::term_run> runs);
  static void shrink(row& x, index_t first, index_t last, segment_rows& live);

  replica_uid uid_;
  raft::entry_id begins_after_;
  index_t last_;
  bool is_end_known_;
  bool has_unknown_ = false;
  bool is_row_open_ = false; ///< The next append may belong to the last row.
  std::vector<raft::term_run> runs_;
  std::vector<row> rows_;
  std::vector<snapshot_row> small_;
  uint64_t drops_ = 1;
};

} // namespace caucus::persistence
