#pragma once

#include "raft/persist_batch.hpp"

#include <span>

namespace caucus::persistence {

/// What one record did to one group's log.
struct log_change {
  enum class kind : uint8_t {
    create, ///< An empty log, in place of whatever was known of the group.
    find,   ///< The same, but its beginning was in a segment that is gone.
    erase,
    truncate,       ///< Entries from `first` on are dropped.
    append,         ///< Entries `first..last`; an older one at or after `first` is dropped.
    compact,        ///< Entries up to `first` are forgotten; that one has `term`.
    restart,        ///< All are; the log goes on after `first`.
    move,           ///< Entries `first..last` are at another place now.
    end,            ///< The log's last entry was `first` then.
    keep_snapshot,  ///< A small snapshot up to `first`.
    drop_snapshots, ///< Those up to less than `first`.
  };

  enum kind kind = kind::append;
  group_id group;
  replica_uid uid; ///< create, find.
  term_t term;     ///< compact, restart.
  index_t first;
  index_t last;            ///< append, move.
  uint32_t record = 0;     ///< Where the record begins in its batch, ...
  uint32_t bytes = 0;      ///< ... and its size: append, move, keep_snapshot.
  uint32_t runs_begin = 0; ///< append, move: the terms, in `log_changes::runs`.
  uint32_t runs_count = 0;
};

/// What one batch did to the logs, in its records' order. Reused from batch to batch.
struct log_changes {
  std::vector<log_change> items;
  std::vector<raft::term_run> runs;

  void clear() {
    items.clear();
    runs.clear();
  }

  void create(group_id group, replica_uid uid, bool is_whole = true);
  void erase(group_id group);
  void truncate(group_id group, index_t from);
  void compact(group_id group, raft::entry_id upto);
  void restart(group_id group, raft::entry_id after);
  void end(group_id group, index_t last);
  void keep_snapshot(group_id group, index_t index, uint32_t record, uint32_t bytes);
  void drop_snapshots(group_id group, index_t below);
  /// Begins an append, or a move, at `record`; `extend` it with each entry, in order.
  void append(group_id group, uint32_t record, uint32_t bytes);
  void move(group_id group, uint32_t record, uint32_t bytes);
  void extend(raft::entry_id id);

  [[nodiscard]] std::span<const raft::term_run> runs_of(const log_change& x) const {
    return std::span{runs}.subspan(x.runs_begin, x.runs_count);
  }

private:
  log_change& add(enum log_change::kind kind, group_id group);
};

} // namespace caucus::persistence
