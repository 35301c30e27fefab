#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace caucus::sim {

/// What happened in a run, or in many.
struct totals {
  uint64_t events = 0;
  uint64_t deliveries = 0;
  uint64_t disk_completions = 0;
  uint64_t client_operations = 0;
  uint64_t faults = 0;
  uint64_t acknowledged = 0;
  uint64_t unknown = 0;
  uint64_t rejected = 0;
  uint64_t reads_checked = 0;
  uint64_t reads_stale = 0;
  uint64_t leader_changes = 0;
  uint64_t crashes = 0;
  uint64_t unsynced_lost = 0;
  uint64_t torn_writes = 0;
  uint64_t partitions = 0;
  uint64_t messages_dropped = 0;
  uint64_t messages_lost = 0; ///< Of those dropped: by a lossy link, not by a cut or a crash.
  uint64_t messages_duplicated = 0;
  uint64_t messages_reordered = 0;
  uint64_t conf_changes = 0;
  uint64_t transfers = 0;
  uint64_t snapshots_made = 0;
  uint64_t snapshots_installed = 0;
  uint64_t segments_recycled = 0; ///< Of the production log.
  uint64_t liveness_checks = 0;
  uint64_t liveness_20_dead = 0; ///< Of those: within 20 election timeouts, beside dead nodes...
  uint64_t liveness_20_deaf = 0; ///< ...beside deaf ones...
  uint64_t liveness_60_dead = 0; ///< ...and within 60, without pre-votes.
  uint64_t liveness_waived = 0;  ///< Damage has left too few that could serve.
  uint64_t bit_rot = 0;
  uint64_t misdirected_writes = 0;
  uint64_t lost_writes = 0;
  uint64_t file_rollbacks = 0;
  uint64_t directory_rollbacks = 0;
  uint64_t damage_harmless = 0;  ///< Starts on a disk that has lied: everything was found...
  uint64_t damage_refused = 0;   ///< ...or refused, with its place...
  uint64_t damage_shortened = 0; ///< ...or something older, where nothing on the disk can tell.
  uint64_t damage_read = 0;      ///< Found out while it ran.
  uint64_t damage_tolerated = 0; ///< Of the shortened: went on, as a majority had all of it.
  uint64_t snapshots_passed_over = 0; ///< Damaged, and the one before it was taken.
  uint64_t replaced = 0; ///< Damaged nodes that left the group, for others if there were some.
  uint64_t virtual_ms = 0;
};

struct totals_row {
  std::string_view name;
  uint64_t totals::*field;
};

std::span<const totals_row> totals_table();
/// Those of disks that lie, which aren't among them.
std::span<const totals_row> damage_table();

inline void add(totals& to, const totals& x) {
  for (const auto& row : totals_table())
    to.*row.field += x.*row.field;
  for (const auto& row : damage_table())
    to.*row.field += x.*row.field;
}

} // namespace caucus::sim
