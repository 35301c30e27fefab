#pragma once

#include "apps/sim/sim_node.hpp"

#include <filesystem>

namespace caucus::sim {

/// Writes each node's disk into a directory `node-<id>` of its own: `log` (disk_record.hpp has its
/// layout) and `snapshot-<index>-<term>`; with a production storage the node's data directory as it
/// is, for `caucus-wal`. Throws `std::filesystem::filesystem_error` if it can't.
void dump(const std::vector<sim_node>& nodes, const std::filesystem::path& into);

} // namespace caucus::sim
