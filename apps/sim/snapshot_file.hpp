#pragma once

#include "raft/snapshot_boundary.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace caucus::sim {

struct shipped_snapshot;

/// A snapshot of a machine as it lies on a simulated disk and travels between nodes: whole or not
/// at all, since how its bytes get there is not the core's business.
struct snapshot_file {
  raft::snapshot_boundary at;
  int64_t wall_ns = 0;   ///< Of its last entry.
  uint64_t log_hash = 0; ///< Of all entries up to there: for the oracles only.
  std::shared_ptr<const std::vector<std::byte>> bytes;
  std::shared_ptr<const shipped_snapshot> shipped; ///< While it travels from a production storage.

  [[nodiscard]] index_t index() const noexcept { return at.last.index; }
};

} // namespace caucus::sim
