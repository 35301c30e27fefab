#pragma once

#include "membership/configuration.hpp"
#include "raft/entry.hpp"

namespace caucus::raft {

/// Up to where a snapshot goes, and who replicated the group there, whatever came later
/// (RELIABILITY N-13).
struct snapshot_boundary {
  entry_id last;
  membership::numbered_configuration members;
};

} // namespace caucus::raft
