#include "apps/sim/options.hpp"

#include "apps/sim/dice.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace caucus::sim {

namespace {

// The most of what is only meant to be large: far from what would overflow.
constexpr int64_t seed_max = int64_t{1} << 62;
constexpr int64_t count_max = 1'000'000'000;
constexpr int64_t bytes_max = 1 << 30;
constexpr int64_t hour_us = 3'600'000'000;

#define ROW(name, least, most)                                                                     \
  option_row { #name, &options::name, least, most }
constexpr std::array table{ROW(seed, 0, seed_max),
                           ROW(events, 0, count_max),
                           ROW(nodes, 1, 7),
                           ROW(learners, 0, 1),
                           ROW(spares, 0, 3),
                           ROW(clients, 1, 1000),
                           ROW(registers, 0, 1000),
                           ROW(think_us, 0, hour_us),
                           ROW(attempt_us, 1, hour_us),
                           ROW(retry_us, 0, hour_us),
                           ROW(attempts_max, 1, count_max),
                           ROW(sessionless_permille, 0, 1000),
                           ROW(log_reads_permille, 0, 1000),
                           ROW(lease_reads_permille, 0, 1000),
                           ROW(stale_reads_permille, 0, 1000),
                           ROW(session_timeout_us, 1, hour_us),
                           ROW(payload_bytes, 0, 1 << 20),
                           ROW(tick_us, 100, 1'000'000),
                           ROW(election_ticks, 2, 1000),
                           ROW(heartbeat_ticks, 1, 500),
                           ROW(pre_vote, 0, 1),
                           ROW(quiesce_ticks, 0, 1000),
                           ROW(check_quorum, 0, 1),
                           ROW(lease, 0, 1),
                           ROW(priorities, 0, 1),
                           ROW(forward, 0, 1),
                           ROW(append_bytes, 1, bytes_max),
                           ROW(inflight_messages, 1, count_max),
                           ROW(inflight_bytes, 1, bytes_max),
                           ROW(uncommitted_bytes, 1, bytes_max),
                           ROW(forwarded_max, 1, count_max),
                           ROW(tail_bytes, 1, bytes_max),
                           ROW(apply_bytes, 1, bytes_max),
                           ROW(flush_us, 0, hour_us),
                           ROW(send_us, 0, hour_us),
                           ROW(hand_us, 0, hour_us),
                           ROW(notice_us, 0, hour_us),
                           ROW(apply_us, 0, hour_us),
                           ROW(apply_max, 1, count_max),
                           ROW(delay_min_us, 0, hour_us),
                           ROW(delay_mean_us, 0, hour_us),
                           ROW(loss_permille, 0, 1000),
                           ROW(duplicate_permille, 0, 1000),
                           ROW(reorder, 0, 1),
                           ROW(sync_min_us, 0, hour_us),
                           ROW(sync_mean_us, 0, hour_us),
                           ROW(batches_max, 1, count_max),
                           ROW(torn, 0, 1),
                           ROW(recovered_bytes, 0, bytes_max),
                           ROW(durable_machine, 0, 1),
                           ROW(failed_read_permille, 0, 1000),
                           ROW(snapshot_every, 0, count_max),
                           ROW(snapshot_keep, 0, count_max),
                           ROW(snapshot_us, 0, hour_us),
                           ROW(storage, 0, 1),
                           ROW(segment_bytes, 8192, bytes_max),
                           ROW(snapshot_files_permille, 0, 1000),
                           ROW(power_permille, 0, 1000),
                           ROW(inner_crash_permille, 0, 1000),
                           ROW(failed_call_permille, 0, 1000),
                           ROW(damage, 0, 2),
                           ROW(replacements, 0, 4),
                           ROW(fault_every_us, 0, hour_us),
                           ROW(down_us, 0, hour_us),
                           ROW(trouble_us, 0, hour_us),
                           ROW(crash, 0, 1000),
                           ROW(crash_leader, 0, 1000),
                           ROW(crash_all, 0, 1000),
                           ROW(failed_sync, 0, 1000),
                           ROW(pause, 0, 1000),
                           ROW(partition, 0, 1000),
                           ROW(one_way, 0, 1000),
                           ROW(clog, 0, 1000),
                           ROW(slow_disk, 0, 1000),
                           ROW(stuck_disk, 0, 1000),
                           ROW(full_disk, 0, 1000),
                           ROW(bit_rot, 0, 1000),
                           ROW(misdirected_write, 0, 1000),
                           ROW(lost_write, 0, 1000),
                           ROW(rollback, 0, 1000),
                           ROW(slow_machine, 0, 1000),
                           ROW(wall_jump, 0, 1000),
                           ROW(campaign, 0, 1000),
                           ROW(link_reset, 0, 1000),
                           ROW(transfer, 0, 1000),
                           ROW(step_down, 0, 1000),
                           ROW(change, 0, 1000),
                           ROW(eager_change_permille, 0, 1000),
                           ROW(island, 0, 1000),
                           ROW(clock_skew_permille, 0, 300),
                           ROW(liveness, 0, 2)};
#undef ROW

/// On in that many permille of the seeds, then somewhere in the range.
int64_t sometimes(dice& draw, int64_t permille, int64_t first, int64_t last) {
  const bool is_on = draw.permille(permille);
  const auto value = draw.between(first, last);
  return is_on ? value : 0;
}

void draw_core(options& x, dice& draw) {
  x.election_ticks = draw.between(5, 15);
  x.heartbeat_ticks = draw.between(1, std::min<int64_t>(3, x.election_ticks / 2));
  x.pre_vote = draw.permille(800) ? 1 : 0;
  x.check_quorum = draw.permille(850) ? 1 : 0;
  x.forward = draw.permille(800) ? 1 : 0;
  x.lease = x.check_quorum != 0 && draw.permille(500) ? 1 : 0;
  x.priorities = draw.permille(300) ? 1 : 0;
  // Limits so small that they are reached all the time (RELIABILITY section 3.2, thresholds).
  x.append_bytes = draw.one_of({1, 250, 1000, 1 << 20});
  x.inflight_messages = draw.one_of({1, 2, 4, 256});
  x.inflight_bytes = draw.one_of({1, 400, 64 << 20, 64 << 20});
  x.uncommitted_bytes = draw.one_of({500, 2000, 64 << 20, 64 << 20});
  x.forwarded_max = draw.one_of({1, 3, 1 << 16, 1 << 16});
  x.tail_bytes = draw.one_of({1, 600, 3000, 16 << 20});
  x.apply_bytes = draw.one_of({1, 500, 4 << 20, 4 << 20});
}

void draw_timing(options& x, dice& draw) {
  x.flush_us = sometimes(draw, 500, 10, 2000);
  x.send_us = sometimes(draw, 600, 10, 2000);
  x.hand_us = sometimes(draw, 600, 10, 2000);
  x.notice_us = sometimes(draw, 500, 10, 2000);
  x.apply_us = sometimes(draw, 700, 10, 5000);
  x.apply_max = draw.one_of({1, 3, 1000, 1000});
  x.delay_min_us = draw.one_of({10, 200, 1000, 5000});
  x.delay_mean_us = draw.one_of({100, 1000, 3000, 10'000, 30'000});
  x.loss_permille = sometimes(draw, 650, 1, draw.one_of({20, 100, 300}));
  x.duplicate_permille = sometimes(draw, 650, 10, draw.one_of({50, 200, 500}));
  x.reorder = draw.permille(700) ? 1 : 0;
  x.sync_min_us = draw.one_of({10, 100, 1000});
  x.sync_mean_us = draw.one_of({10, 1000, 5000, 20'000});
  x.batches_max = draw.one_of({1, 3, 1000, 1000});
  x.torn = draw.permille(750) ? 1 : 0;
  x.recovered_bytes = draw.one_of({1, 500, 1 << 20});
  x.durable_machine = draw.permille(300) ? 1 : 0;
  x.failed_read_permille = sometimes(draw, 500, 10, 300);
  x.snapshot_every = sometimes(draw, 800, 3, 50);
  x.snapshot_keep = sometimes(draw, 500, 1, 30);
  x.snapshot_us = draw.one_of({100, 5000, 50'000});
}

void draw_faults(options& x, dice& draw) {
  const auto timeout_us = x.election_ticks * x.tick_us;
  x.fault_every_us = timeout_us * draw.one_of({6, 12, 25, 40}) / 10;
  x.down_us = timeout_us * draw.one_of({1, 10, 30}) / 10;
  x.trouble_us = timeout_us * draw.one_of({5, 15, 40}) / 10;
  x.crash = sometimes(draw, 700, 1, 6);
  x.crash_leader = sometimes(draw, 500, 1, 4);
  x.crash_all = sometimes(draw, 250, 1, 1);
  x.failed_sync = sometimes(draw, 400, 1, 2);
  x.pause = sometimes(draw, 500, 1, 4);
  x.partition = sometimes(draw, 700, 2, 6);
  x.one_way = sometimes(draw, 500, 1, 4);
  x.clog = sometimes(draw, 400, 1, 3);
  x.slow_disk = sometimes(draw, 400, 1, 3);
  x.stuck_disk = sometimes(draw, 400, 1, 2);
  x.slow_machine = sometimes(draw, 400, 1, 2);
  x.wall_jump = sometimes(draw, 400, 1, 2);
  x.campaign = sometimes(draw, 300, 1, 2);
  x.link_reset = sometimes(draw, 500, 1, 3);
  x.transfer = sometimes(draw, 850, 4, 12);
  x.step_down = sometimes(draw, 300, 1, 2);
  x.change = sometimes(draw, 850, 3, 10);
  x.eager_change_permille = sometimes(draw, 300, 100, 800);
  x.island = sometimes(draw, 200, 1, 1);
  x.clock_skew_permille = sometimes(draw, 500, 1, 100);
  if (x.crash + x.crash_leader + x.partition == 0)
    x.crash = 2; // Never a run in which little happens.
}

/// From dice of their own: what is drawn for the model stays what it is.
void draw_storage(options& x, dice draw) {
  x.segment_bytes = draw.one_of({8192, 8192, 16 << 10, 64 << 10});
  x.snapshot_files_permille = draw.one_of({0, 500, 1000});
  x.power_permille = draw.one_of({300, 700, 1000});
  x.inner_crash_permille = sometimes(draw, 700, 1, 10);
  x.failed_call_permille = sometimes(draw, 300, 1, 1);
  // Half of the disks don't lie; of the others two in three as far as Raft can stand it.
  x.damage = draw.one_of({0, 0, 0, 1, 1, 2});
  x.replacements = x.damage != 0 ? draw.between(1, 4) : 0;
  x.bit_rot = sometimes(draw, 500, 1, 3);
  x.misdirected_write = sometimes(draw, 500, 1, 3);
  x.lost_write = sometimes(draw, 500, 1, 3);
  x.rollback = sometimes(draw, 500, 1, 3);
}

} // namespace

std::span<const option_row> option_table() { return table; }

options drawn_options(uint64_t seed) {
  options x;
  dice draw{rng::mix(seed ^ 0x6f7074696f6e73)};
  x.seed = static_cast<int64_t>(seed);
  x.nodes = draw.one_of({1, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 7});
  x.learners = draw.permille(200) ? 1 : 0;
  x.spares = draw.between(1, 3);
  x.clients = draw.between(2, 8);
  x.registers = draw.between(1, 4);
  x.think_us = draw.one_of({100, 1000, 5000});
  x.attempts_max = draw.between(2, 12);
  x.sessionless_permille = sometimes(draw, 400, 50, 500);
  x.log_reads_permille = draw.one_of({0, 300, 1000});
  x.lease_reads_permille = draw.one_of({0, 500, 1000});
  x.stale_reads_permille = sometimes(draw, 400, 20, 300);
  x.session_timeout_us = draw.one_of({300'000, 60'000'000, 60'000'000});
  x.payload_bytes = draw.one_of({0, 0, 0, 100, 600});
  draw_core(x, draw);
  draw_timing(x, draw);
  draw_faults(x, draw);
  x.attempt_us = x.election_ticks * x.tick_us * draw.one_of({5, 10, 30}) / 10;
  x.retry_us = x.tick_us * draw.one_of({1, 3, 8});
  // So often that half of all seeds check it with pre-votes and the others dead.
  x.liveness = draw.permille(900) ? 1 : 0;
  // Who is deaf campaigns, or leads, for ever: only these two keep it from disturbing.
  if (x.liveness != 0 && x.pre_vote != 0 && x.check_quorum != 0 && draw.permille(200))
    x.liveness = 2;
  x.quiesce_ticks = x.pre_vote != 0 ? sometimes(draw, 100, 1, 4) : 0;
  x.full_disk = sometimes(draw, 300, 1, 2);
  draw_storage(x, dice{rng::mix(seed ^ 0x73746f72616765)});
  return x;
}

result<void> set_option(options& x, std::string_view assignment) {
  const auto sign = assignment.find('=');
  const auto name = assignment.substr(0, sign);
  const auto row =
    std::find_if(table.begin(), table.end(), [&](auto& y) { return y.name == name; });
  if (sign == std::string_view::npos || row == table.end())
    return error{errc::invalid_option, "'" + std::string{assignment}
                                         + "' is no name=value of an option; the first line "
                                         + "of any run names them all"};
  const auto text = assignment.substr(sign + 1);
  int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = failed == std::errc{} && end == text.data() + text.size();
  if (!is_number || value < row->least || value > row->most)
    return error{errc::invalid_option, "'" + std::string{text} + "' is no value for "
                                         + std::string{name} + "; a whole number from "
                                         + std::to_string(row->least) + " to "
                                         + std::to_string(row->most) + " is"};
  x.*row->field = value;
  return {};
}

result<void> check_together(const options& x) {
  const auto refused = [](const std::string& why) { return error{errc::invalid_option, why}; };
  if (x.election_ticks < 2 * x.heartbeat_ticks)
    return refused("election_ticks=" + std::to_string(x.election_ticks)
                   + " is less than twice heartbeat_ticks=" + std::to_string(x.heartbeat_ticks)
                   + "; set both");
  if (x.lease != 0 && x.check_quorum == 0)
    return refused("lease=1 needs check_quorum=1; set both");
  if (x.liveness == 2 && (x.pre_vote == 0 || x.check_quorum == 0))
    return refused("liveness=2 needs pre_vote=1 and check_quorum=1; set all three");
  return {};
}

std::string to_string(const options& x) {
  std::string out;
  for (const auto& row : table)
    out.append(out.empty() ? "" : " ")
      .append(row.name)
      .append("=")
      .append(std::to_string(x.*row.field));
  return out;
}

std::string overrides(const options& x) {
  const auto drawn = drawn_options(static_cast<uint64_t>(x.seed));
  std::string out = "--seed " + std::to_string(x.seed) + " --events " + std::to_string(x.events);
  for (const auto& row : table)
    if (x.*row.field != drawn.*row.field && row.name != "events")
      out.append(" --set ").append(row.name).append("=").append(std::to_string(x.*row.field));
  return out;
}

raft::core_options core_options_of(const options& x, node_id self, uint32_t life) {
  raft::core_options out;
  out.group = group_id{1};
  out.self = self;
  out.election_ticks = static_cast<uint32_t>(x.election_ticks);
  out.heartbeat_ticks = static_cast<uint32_t>(x.heartbeat_ticks);
  out.pre_vote = x.pre_vote != 0;
  out.quiesce_ticks = out.pre_vote ? static_cast<uint32_t>(x.quiesce_ticks) : 0;
  out.check_quorum = x.check_quorum != 0;
  out.forward_proposals = x.forward != 0;
  out.append_bytes_max = static_cast<uint32_t>(x.append_bytes);
  out.inflight_messages_max = static_cast<uint32_t>(x.inflight_messages);
  out.inflight_bytes_max = static_cast<uint64_t>(x.inflight_bytes);
  out.uncommitted_bytes_max = static_cast<uint64_t>(x.uncommitted_bytes);
  out.forwarded_max = static_cast<uint32_t>(x.forwarded_max);
  out.tail_bytes_max = static_cast<uint64_t>(x.tail_bytes);
  out.tail_bytes_kept = out.tail_bytes_max / 4;
  out.apply_bytes_max = static_cast<uint64_t>(x.apply_bytes);
  out.lease = x.lease != 0;
  out.tick_ns = x.tick_us * 990; // Rounding makes some ticks a little shorter.
  // What the skew of two clocks makes of an election timeout, and something on top.
  out.clock_drift_max_ns = x.election_ticks * x.tick_us * (10 + 3 * x.clock_skew_permille);
  if (x.priorities != 0)
    out.priority = static_cast<uint8_t>(100 - 30 * (self.value() % 3));
  out.boot = life;
  out.seed = static_cast<uint64_t>(x.seed) + life * 1000;
  return out;
}

} // namespace caucus::sim
