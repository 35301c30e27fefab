#pragma once

#include "apps/sim/machine.hpp"
#include "apps/sim/sim_disk.hpp"
#include "apps/sim/waiting_requests.hpp"
#include "raft/core.hpp"

#include <deque>

namespace caucus::sim {

/// One simulated node: a real core, and around it everything that a shell would own.
struct sim_node {
  uint8_t number = 0;
  std::optional<raft::core> core; ///< Nothing while it is down.
  bool has_started = false;       ///< Ever: a spare that nobody needs has not.
  bool is_struck = false;         ///< Its disk lies, or will.
  bool is_condemned = false;      ///< That was found out: it serves no more.
  uint8_t replacement = 0;        ///< Who comes for it.
  uint32_t life = 1; ///< Counts its starts and crashes: what was planned for an older one is void.
  std::vector<int64_t> ended_us; ///< When each life ended, by life.

  // What its core has told, as of the last ready.
  log_mirror log;
  raft::hard_state hard;
  raft::role role = raft::role::follower;
  node_id leader;

  sim_disk disk;
  std::unique_ptr<sim::machine> machine;
  ring<raft::entry_ptr> to_apply; ///< Null: a snapshot of `to_restore` is to be loaded.
  ring<raft::entry_id> to_restore;
  std::optional<snapshot_file> writing; ///< The own snapshot that isn't whole yet.
  ring<snapshot_file> incoming;         ///< From others, not durable yet.
  uint32_t sending = 0;                 ///< A bit for each node to whom a snapshot is on its way.
  ring<raft::log_read> reads;
  waiting_requests waiting;

  bool is_flush_planned = false;
  bool is_start_planned = false; ///< Of the disk.
  bool is_apply_planned = false;
  bool fails_next_sync = false;
  int64_t paused_until_us = 0;
  int64_t disk_slow_until_us = 0;
  int64_t disk_stuck_until_us = 0;
  int64_t disk_done_at_us = 0;    ///< With what it began last.
  int64_t disk_full_until_us = 0; ///< Its core is told with the next tick.
  bool knew_room = true;
  int64_t machine_slow_until_us = 0;
  int64_t rate_permille = 1000; ///< Of its clocks, by true time.
  int64_t wall_offset_us = 0;
  int64_t handed_us = 0; ///< When the disk is told of the last batch.

  [[nodiscard]] node_id id() const noexcept { return node_id{number}; }
  [[nodiscard]] bool is_up() const noexcept { return core.has_value(); }
  [[nodiscard]] bool is_paused(int64_t now_us) const noexcept { return now_us < paused_until_us; }
  [[nodiscard]] instant clock(int64_t now_us) const noexcept {
    const auto run_us = now_us * rate_permille / 1000;
    return {.mono_ns = run_us * 1000, .wall_ns = (run_us + wall_offset_us) * 1000};
  }
};

} // namespace caucus::sim
