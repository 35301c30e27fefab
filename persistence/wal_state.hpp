#pragma once

#include "persistence/batch_buffer.hpp"
#include "persistence/log_index.hpp"
#include "persistence/segment_writer.hpp"
#include "persistence/wal.hpp"

#include <unordered_map>
#include <unordered_set>

namespace caucus::persistence {

/// The inside of a `wal`: for wal.cpp, which writes, and wal_open.cpp, which builds it.
struct wal::state {
  /// All including what is staged.
  struct known_group {
    group_descriptor descriptor;
    index_t last;
    raft::snapshot_boundary begins_after;
    std::vector<kept_snapshot> snapshots; ///< Newest first, without bytes.
    bool is_damaged = false;
  };

  state(const wal_options& options_in, segment_writer writer_in,
        std::shared_ptr<log_index> index_in, std::shared_ptr<log_reader> reader_in,
        boot_count epoch_in, uint64_t last_batch_in)
    : options{options_in},
      writer{std::move(writer_in)},
      index{std::move(index_in)},
      reader{std::move(reader_in)},
      epoch{epoch_in},
      last_batch{last_batch_in} {}

  wal_options options;
  segment_writer writer;
  std::shared_ptr<log_index> index;
  std::shared_ptr<log_reader> reader;
  boot_count epoch;          ///< This start's.
  uint64_t last_batch = 0;   ///< The number of the newest batch written.
  uint64_t durable_upto = 0; ///< The newest one known to be synced; never ahead of `last_batch`.
  std::optional<error> fenced;

  batch_buffer buffer;
  log_changes changes;  ///< Of what is staged.
  batch_place appended; ///< Of the newest batch.
  std::unordered_map<group_id, known_group> groups;
  std::unordered_set<group_id> deleted;

  void know(const recovered_group& group);
  /// Goes on behind what recovery found (segment 0: nothing) and makes this start's epoch durable.
  result<void> begin(log_position tail, uint64_t dead_end);
  /// Writes what is staged as one batch, into a new segment if it doesn't fit.
  result<void> append_staged();
  result<void> sync();
  /// Lets readers see what was appended, and begins a new batch.
  void publish();
  error fence(error reason);
  /// The group if something may be staged for it; null if it is deleted.
  known_group* writable(group_id group);
  void stage_restart(known_group& group, const kept_snapshot& after);
  void stage_entries(group_id group, replica_uid uid, std::span<const raft::entry_ptr> entries);
};

} // namespace caucus::persistence
