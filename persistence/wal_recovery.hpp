#pragma once

#include "base/result.hpp"
#include "membership/founding.hpp"
#include "persistence/group_descriptor.hpp"
#include "persistence/peer_identity.hpp"
#include "raft/persist_batch.hpp"

#include <functional>
#include <optional>

namespace caucus::persistence {

/// One replica as the disk remembers it.
struct recovered_group {
  group_descriptor descriptor;
  raft::hard_state hard;
  std::vector<raft::term_run> runs;  ///< Terms of the whole log.
  index_t last;                      ///< 0: the log is empty.
  std::vector<raft::entry_ptr> tail; ///< The newest entries, contiguous up to `last`.
  /// What the log's entries made of the descriptor's members, ascending: all of them, however old.
  std::vector<membership::numbered_configuration> configurations;
  /// Set if durable records of this group are damaged: it must not run here. Everything but the
  /// descriptor is then meaningless.
  std::optional<error> damaged;
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
