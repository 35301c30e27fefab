#pragma once

#include "persistence/batch_buffer.hpp"
#include "persistence/log_recovery.hpp"
#include "persistence/segment_usage.hpp"
#include "persistence/segment_writer.hpp"
#include "persistence/wal.hpp"

#include <deque>
#include <map>
#include <set>
#include <unordered_map>

namespace caucus::persistence {

/// The inside of a `wal`: for wal.cpp, which writes, and wal_open.cpp, which builds it.
struct wal::state {
  /// All including what is staged.
  struct known_group {
    group_descriptor descriptor;
    raft::hard_state hard;
    index_t last;
    raft::snapshot_boundary begins_after;
    std::vector<kept_snapshot> snapshots; ///< Newest first, without bytes.
    recovered_group::record_places places;
    bool is_damaged = false;
    uint64_t staged_in = 0; ///< The batch that is being staged, if it changes the log ...
    index_t staged_from;    ///< ... from here on.

    /// Something that only records in this segment or older ones say.
    [[nodiscard]] bool needs(uint64_t segment) const;
  };

  /// What is left to be written again of the oldest segment.
  struct metadata_to_carry {
    uint64_t segment = 0;
    uint64_t since = 0; ///< The newest segment when it began.
    bool carries_node = false;
    std::vector<group_id> groups;
    std::vector<group_id> tombstones;
  };

  /// Written, while its sync is under way.
  struct unsynced_batch {
    uint64_t number = 0;
    log_position place;
    log_changes changes;
  };

  state(directory& dir, const wal_options& options_in, segment_writer writer_in,
        std::shared_ptr<log_index> index_in, std::shared_ptr<log_reader> reader_in,
        boot_count epoch_in, uint64_t last_batch_in)
    : files{dir},
      options{options_in},
      writer{std::move(writer_in)},
      index{std::move(index_in)},
      reader{std::move(reader_in)},
      epoch{epoch_in},
      last_batch{last_batch_in} {}

  directory& files;
  wal_options options;
  segment_writer writer;
  std::shared_ptr<log_index> index;
  std::shared_ptr<log_reader> reader;
  boot_count epoch;          ///< This start's.
  uint64_t last_batch = 0;   ///< The number of the newest batch written.
  uint64_t durable_upto = 0; ///< The newest one known to be synced; never ahead of `last_batch`.
  std::optional<error> fenced;

  batch_buffer buffer;
  log_changes changes;                  ///< Of what is staged.
  batch_place appended;                 ///< Of the newest batch.
  std::deque<unsynced_batch> under_way; ///< Their syncs are, the oldest's first.
  std::unordered_map<group_id, known_group> groups;
  std::unordered_map<group_id, group_tombstone> deleted;
  std::map<node_id, directory_id> peers;
  membership::founding founding;
  std::set<group_id> damaged;

  segment_usage usage;
  record_place node_place; ///< Of the oldest that is needed of the node's own records.
  metadata_to_carry collection;
  uint64_t needed_from = 1;      ///< Segments before aren't needed any more, says ...
  uint64_t needed_in = 0;        ///< ... this batch.
  std::unique_ptr<file> removed; ///< See `take_removed`.

  void know(const recovered_log& found, const segment_catalog& catalog);
  void know(const recovered_group& group);
  /// Goes on behind what recovery found (segment 0: nothing) and makes this start's epoch durable.
  result<void> begin(const wal_scan::end& end);
  /// Writes what is staged as one batch, into a new segment if it doesn't fit.
  result<void> append_staged();
  result<void> sync();
  /// Room for a segment with a batch of `bytes`, or `no_space`, or the log is fenced.
  result<void> reserve(uint64_t bytes);
  /// Lets readers see what was appended, and begins a new batch.
  void publish();
  error fence(error reason);
  /// The group if something may be staged for it; null if it is deleted.
  known_group* writable(group_id group);
  /// Takes over the snapshots that are kept now.
  void adopt(known_group& group, std::vector<kept_snapshot> snapshots);
  /// A record being staged names the group's snapshot and its log's begin.
  void count_mark(known_group& group, raft::entry_id last, size_t bytes);
  void stage_restart(known_group& group, const kept_snapshot& after);
  void stage_entries(const known_group& group, std::span<const raft::entry_ptr> entries,
                     record_kind kind = record_kind::entries);
  /// What is staged changes the group's log from `first` on.
  void note_staged(known_group& group, index_t first) const;
  void stage(const group_tombstone& x, replica_uid uid);
  void stage(const peer_identity& x);
  void stage(const membership::founding& x);
  /// The node's own records have a new one.
  void count_node_record(size_t bytes);
  /// Where a record of this size that is being staged may come to lie.
  [[nodiscard]] record_place place_of(size_t bytes) const;

  void begin_collection(uint64_t segment);
  void stage_checkpoint(known_group& group);
  void carry_entries(known_group& group, const log_index::stretch& there,
                     const std::vector<raft::entry_ptr>& read);
  void carry_snapshot(known_group& group, const kept_snapshot& read, uint64_t segment);
  [[nodiscard]] bool is_needed(const segment_usage::segment& x) const;
  result<void> remove_segment(uint64_t sequence);
  /// And keeps it open, so that its blocks may be given back elsewhere.
  result<void> unlink(const std::string& name);
};

} // namespace caucus::persistence
