#pragma once

#include "base/result.hpp"
#include "membership/founding.hpp"
#include "persistence/group_descriptor.hpp"
#include "persistence/kept_snapshot.hpp"
#include "persistence/peer_identity.hpp"
#include "raft/persist_batch.hpp"

#include <functional>
#include <optional>

namespace caucus::persistence {

/// One replica as the disk remembers it.
struct recovered_group {
  group_descriptor descriptor;
  raft::hard_state hard;
  /// The entry before the first one in the log, and who the members were then. 0:0: nothing was cut
  /// off, and the descriptor names the members.
  raft::snapshot_boundary begins_after;
  std::vector<raft::term_run> runs;  ///< Terms of the whole log.
  index_t last;                      ///< `begins_after`'s index if the log is empty.
  std::vector<raft::entry_ptr> tail; ///< The newest entries, contiguous up to `last`.
  /// What the log's entries made of the members, ascending: all of them, however old.
  std::vector<membership::numbered_configuration> configurations;
  /// Newest first, at most two, the small ones with their bytes. A newer one than the log reaches
  /// was installed and not yet put in the log's place. Where the log begins, one of them reaches.
  std::vector<kept_snapshot> snapshots;
  /// Set if durable records of this group are damaged: it must not run here. Everything but the
  /// descriptor is then meaningless.
  std::optional<error> damaged;

  /// Where the newest records lie that say so, for GC.
  struct record_places {
    record_place created; ///< The descriptor, or all of it in a checkpoint.
    record_place hard;
    record_place begin; ///< `begins_after`.
  };
  record_places places;

  /// As of `begins_after`.
  [[nodiscard]] const membership::configuration& members() const {
    return begins_after.members.members ? *begins_after.members.members : descriptor.members;
  }
};

/// What a start found on the disk.
struct wal_recovery {
  directory_id directory;
  boot_count boot;                         ///< Of this start: already counted and durable.
  bool was_empty = false;                  ///< The directory is new.
  std::vector<recovered_group> groups;     ///< Ascending by group id; deleted ones are left out.
  std::vector<group_tombstone> tombstones; ///< Ascending by group id.
  std::vector<peer_identity> peers;        ///< Ascending by node.
  membership::founding founding;           ///< None if it was never written.
  std::vector<std::string> warnings;       ///< A torn tail: where, how much, what remains.
  uint64_t bytes_read = 0;
};

/// Told now and then while recovery reads, so that a long start isn't silent.
using recovery_progress = std::function<void(uint64_t bytes_done, uint64_t bytes_total)>;
/// Judges what was found before anything is written, this start's boot count included; its error
/// refuses the start.
using recovery_check = std::function<result<void>(const wal_recovery&)>;

} // namespace caucus::persistence
