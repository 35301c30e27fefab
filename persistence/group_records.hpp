#pragma once

#include "persistence/group_descriptor.hpp"
#include "persistence/kept_snapshot.hpp"
#include "raft/persist_batch.hpp"

#include <optional>
#include <span>
#include <vector>

namespace caucus::persistence {

// Bodies of the records about a group's snapshots and all that is known of it (docs/wal_format.md,
// section 5). A decoder returns nothing unless the bytes are used up exactly.

/// The body of a `snapshot_mark`, or of a `small_snapshot`, which has the machine's bytes behind.
struct snapshot_record {
  bool restarts = false; ///< The log is emptied first; it goes on after `mark.begins_after`.
  snapshot_mark mark;
};

/// The body of a group's `checkpoint`: all that older records said of it, but for its entries and
/// the bytes of small snapshots.
struct group_checkpoint {
  group_descriptor descriptor;
  raft::hard_state hard;
  index_t last; ///< Of the log then.
  raft::snapshot_boundary begins_after;
  std::vector<kept_snapshot> snapshots; ///< Newest first.
};

std::vector<std::byte> encode_body(const group_checkpoint& x);
std::optional<group_checkpoint> decode_group_checkpoint(group_id group, replica_uid uid,
                                                        std::span<const std::byte> body);

std::vector<std::byte> encode_body(const snapshot_record& x);
/// The bytes of a small one are a window into memory that `owner` keeps alive.
std::optional<snapshot_record> decode_snapshot_record(std::span<const std::byte> body,
                                                      bool has_bytes,
                                                      const std::shared_ptr<const void>& owner);

} // namespace caucus::persistence
