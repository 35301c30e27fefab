#pragma once

#include "persistence/kept_snapshot.hpp"

#include <optional>

namespace caucus::persistence {

/// What a collector read in a segment and would like at the log's end: contiguous entries of one
/// group, or a small snapshot. By the time the log takes it, it may not be current any more.
struct carried {
  group_id group;
  replica_uid uid;
  uint64_t segment = 0; ///< Where it was read.
  std::vector<raft::entry_ptr> entries;
  std::optional<kept_snapshot> snapshot;
};

} // namespace caucus::persistence
