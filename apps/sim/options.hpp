#pragma once

#include "base/result.hpp"
#include "raft/core_options.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace caucus::sim {

/// Everything that one run is made from: the same values give the same run. Drawn from the seed
/// (swarm testing: each fault class is on in some seeds only), then overridden by the command line.
/// Times are virtual; a permille of 0 or a weight of 0 switches its fault off.
struct options {
  int64_t seed = 1;
  int64_t events = 5000; ///< Deliveries, disk completions, client operations and faults.

  // -- cluster and clients -------------------------------------------------------
  int64_t nodes = 3; ///< Voters at the start.
  int64_t learners = 0;
  int64_t spares = 0; ///< Nodes that a change of members may bring in.
  int64_t clients = 4;
  int64_t registers = 4; ///< Keys of the register map, beside the one counter.
  int64_t think_us = 2000;
  int64_t attempt_us = 100'000; ///< After it a client asks again, maybe somewhere else.
  int64_t retry_us = 20'000;    ///< Mean pause after a refusal.
  int64_t attempts_max = 6;     ///< After it an operation stays unknown.
  int64_t sessionless_permille = 0;
  int64_t log_reads_permille = 1000; ///< Of the gets: through the log, like commands.
  int64_t lease_reads_permille = 0;  ///< Of the other gets.
  int64_t stale_reads_permille = 0;
  int64_t session_timeout_us = 60'000'000;
  int64_t payload_bytes = 0; ///< Padding of a command, to make it larger than limits.

  // -- the core's options ----------------------------------------------------------
  int64_t tick_us = 10'000;
  int64_t election_ticks = 10;
  int64_t heartbeat_ticks = 2;
  int64_t pre_vote = 1;
  int64_t quiesce_ticks = 0; ///< With pre-votes only.
  int64_t check_quorum = 1;
  int64_t lease = 0;
  int64_t priorities = 0; ///< Nodes of different priorities to lead.
  int64_t forward = 1;
  int64_t append_bytes = 1 << 20;
  int64_t inflight_messages = 256;
  int64_t inflight_bytes = 64 << 20;
  int64_t uncommitted_bytes = 64 << 20;
  int64_t forwarded_max = 1 << 16;
  int64_t tail_bytes = 16 << 20;
  int64_t apply_bytes = 4 << 20;

  // -- a ready's parts, each an event of its own -------------------------------------
  int64_t flush_us = 0;  ///< Inputs that come within it share one ready.
  int64_t send_us = 0;   ///< Until a message has left: a crash before that loses it.
  int64_t hand_us = 0;   ///< Until the disk has been told of a batch.
  int64_t notice_us = 0; ///< From durable to `persisted`.
  int64_t apply_us = 0;
  int64_t apply_max = 1000; ///< Entries applied at a time.

  // -- network ---------------------------------------------------------------------
  int64_t delay_min_us = 100;
  int64_t delay_mean_us = 1000;
  int64_t loss_permille = 0;
  int64_t duplicate_permille = 0;
  int64_t reorder = 0; ///< Else each link is first in, first out.

  // -- disks -------------------------------------------------------------------------
  int64_t sync_min_us = 100;
  int64_t sync_mean_us = 1000;
  int64_t batches_max = 1000; ///< Persist batches that one sync may cover.
  int64_t torn = 0;           ///< A crash keeps any subset of the unsynced sectors, else none.
  int64_t recovered_bytes = 1 << 20; ///< Of the log's end, handed to the core at a restart.
  int64_t durable_machine = 0;       ///< The machine keeps its effects through a crash.
  int64_t failed_read_permille = 0;
  int64_t snapshot_every = 0; ///< Entries; 0: never.
  int64_t snapshot_keep = 0;  ///< Entries before it that stay in the log.
  int64_t snapshot_us = 0;    ///< Mean, to make one or to send one.

  // -- the production log and snapshots (storage=1) ----------------------------------------
  int64_t storage = 0; ///< 0: the model, fast. 1: persistence's own code on a simulated disk.
  int64_t segment_bytes = 64 << 10;
  int64_t snapshot_files_permille = 500; ///< The others are records of the log.
  int64_t power_permille = 500;          ///< Of the crashes; the others leave the page cache alone.
  int64_t inner_crash_permille = 0; ///< Of what a storage begins: the node dies at a call within.
  int64_t failed_call_permille = 0; ///< Of the disk's calls: EIO.
  int64_t damage = 0;       ///< Disks lie: 1: so that a whole majority is left. 2: all of them may.
  int64_t replacements = 0; ///< Nodes set aside for those that are damaged.

  // -- faults --------------------------------------------------------------------------
  int64_t fault_every_us = 0;   ///< Mean; 0: none.
  int64_t down_us = 100'000;    ///< Mean time until a restart.
  int64_t trouble_us = 200'000; ///< Mean time that any other fault lasts.
  int64_t crash = 0;            ///< Weights among the faults.
  int64_t crash_leader = 0;
  int64_t crash_all = 0;
  int64_t failed_sync = 0;
  int64_t pause = 0;
  int64_t partition = 0;
  int64_t one_way = 0;
  int64_t clog = 0;
  int64_t slow_disk = 0;
  int64_t stuck_disk = 0;
  int64_t full_disk = 0;
  int64_t bit_rot = 0; ///< This and the next three with storage=1 and damage.
  int64_t misdirected_write = 0;
  int64_t lost_write = 0;
  int64_t rollback = 0;
  int64_t slow_machine = 0;
  int64_t wall_jump = 0;
  int64_t campaign = 0;
  int64_t link_reset = 0;
  int64_t transfer = 0;
  int64_t step_down = 0;
  int64_t change = 0;                ///< Somebody wants other members.
  int64_t eager_change_permille = 0; ///< Of new leaders: are at once asked to change a member.
  int64_t island = 0;              ///< A leader is cut off and then asked to remove everybody else.
  int64_t clock_skew_permille = 0; ///< Each node's clock runs that much fast or slow at most.

  // -- the end --------------------------------------------------------------------------
  /// At the end a random majority must serve again: the others are dead (1), or up and heard but
  /// deaf (2).
  int64_t liveness = 0;
};

struct option_row {
  std::string_view name;
  int64_t options::*field;
  int64_t least; ///< That may be set. What is drawn lies within, too.
  int64_t most;
};

/// All of them, in the order above.
std::span<const option_row> option_table();

/// What the seed makes of them.
options drawn_options(uint64_t seed);

/// `name=value`. Refuses a value out of the option's range.
result<void> set_option(options& x, std::string_view assignment);

/// Refuses what each option takes, but no run can have at once.
result<void> check_together(const options& x);

/// `name=value` of all of them.
std::string to_string(const options& x);
/// Arguments that turn `drawn_options(x.seed)` into `x`.
std::string overrides(const options& x);

/// `life`: which of its starts it is.
raft::core_options core_options_of(const options& x, node_id self, uint32_t life);

} // namespace caucus::sim
