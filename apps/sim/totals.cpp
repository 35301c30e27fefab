#include "apps/sim/totals.hpp"

#include <array>

namespace caucus::sim {

namespace {

#define ROW(name)                                                                                  \
  totals_row { #name, &totals::name }
constexpr std::array table{ROW(events),
                           ROW(deliveries),
                           ROW(disk_completions),
                           ROW(client_operations),
                           ROW(faults),
                           ROW(acknowledged),
                           ROW(unknown),
                           ROW(rejected),
                           ROW(reads_checked),
                           ROW(reads_stale),
                           ROW(leader_changes),
                           ROW(crashes),
                           ROW(unsynced_lost),
                           ROW(torn_writes),
                           ROW(partitions),
                           ROW(messages_dropped),
                           ROW(messages_lost),
                           ROW(messages_duplicated),
                           ROW(messages_reordered),
                           ROW(conf_changes),
                           ROW(transfers),
                           ROW(snapshots_made),
                           ROW(snapshots_installed),
                           ROW(segments_recycled),
                           ROW(liveness_checks),
                           ROW(liveness_20_dead),
                           ROW(liveness_20_deaf),
                           ROW(liveness_60_dead),
                           ROW(virtual_ms)};
constexpr std::array of_lying_disks{
  ROW(liveness_waived), ROW(bit_rot),          ROW(misdirected_writes),
  ROW(lost_writes),     ROW(file_rollbacks),   ROW(directory_rollbacks),
  ROW(damage_harmless), ROW(damage_refused),   ROW(damage_shortened),
  ROW(damage_read),     ROW(damage_tolerated), ROW(snapshots_passed_over),
  ROW(replaced)};
#undef ROW

} // namespace

std::span<const totals_row> totals_table() { return table; }

std::span<const totals_row> damage_table() { return of_lying_disks; }

} // namespace caucus::sim
