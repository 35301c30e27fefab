#pragma once

#include "raft/persist_batch.hpp"

#include <span>

namespace caucus::persistence {

/// What one record did to one group's log.
struct log_change {
  enum class kind : uint8_t {
    create, ///< An empty log, in place of whatever was known of the group.
    erase,
    truncate, ///< Entries from `first` on are dropped.
    append,   ///< Entries `first..last`; an older one at or after `first` is dropped.
  };

  enum kind kind = kind::append;
  group_id group;
  replica_uid uid; ///< create.
  index_t first;
  index_t last;            ///< append.
  uint32_t record = 0;     ///< append: where the record begins in its batch.
  uint32_t bytes = 0;      ///< append: of the record.
  uint32_t runs_begin = 0; ///< append: its terms, in `log_changes::runs`.
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

  void create(group_id group, replica_uid uid);
  void erase(group_id group);
  void truncate(group_id group, index_t from);
  /// Begins an append at `record`; `extend` it with each entry, in order.
  void append(group_id group, uint32_t record, uint32_t bytes);
  void extend(raft::entry_id id);
};

} // namespace caucus::persistence
