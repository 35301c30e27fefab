#include "apps/sim/world.hpp"

#include <array>

namespace caucus::sim {

namespace {

constexpr std::array classes{&options::crash,
                             &options::crash_leader,
                             &options::crash_all,
                             &options::failed_sync,
                             &options::pause,
                             &options::partition,
                             &options::one_way,
                             &options::clog,
                             &options::slow_disk,
                             &options::stuck_disk,
                             &options::full_disk,
                             &options::bit_rot,
                             &options::misdirected_write,
                             &options::lost_write,
                             &options::rollback,
                             &options::slow_machine,
                             &options::wall_jump,
                             &options::campaign,
                             &options::link_reset,
                             &options::transfer,
                             &options::step_down,
                             &options::change,
                             &options::island};

} // namespace

sim_node* world::leader() {
  auto& n = nodes_[last_leader_];
  return last_leader_ != 0 && n.is_up() && n.role == raft::role::leader ? &n : nullptr;
}

void world::inject() {
  if (is_healed_)
    return;
  queue_.push(
    {.at_us = now_us_ + 1 + luck_.around(options_.fault_every_us), .kind = event_kind::fault});
  int64_t weights = 0;
  for (auto x : classes)
    weights += options_.*x;
  auto drawn = luck_.below(weights);
  auto chosen = classes[0];
  for (auto x : classes) {
    chosen = x;
    if (drawn < options_.*x)
      break;
    drawn -= options_.*x;
  }
  if (weights == 0)
    return;
  auto* const leading = leader();
  auto& any = some_node();
  auto& n = leading != nullptr && luck_.permille(400) ? *leading : any;
  const auto until_us = now_us_ + luck_.around(options_.trouble_us);
  ++counts_.events;
  ++counts_.faults;
  trace_.note(event_kind::fault, now_us_, n.number, until_us);
  for (const auto& row : option_table())
    if (row.field == chosen)
      say(n, "fault ", row.name, " until ", until_us);

  if (chosen == &options::crash && any.is_up())
    crash(any, true);
  else if (chosen == &options::crash_leader && n.is_up())
    crash(leading != nullptr ? *leading : n, true);
  else
    strike(chosen, n, until_us);
}

void world::strike(int64_t options::*chosen, sim_node& n, int64_t until_us) {
  const bool is_awake = n.is_up() && !n.is_paused(now_us_);
  if (chosen == &options::crash_all) {
    for (auto& x : nodes_)
      if (x.is_up())
        crash(x, true);
  } else if (chosen == &options::failed_sync) {
    n.fails_next_sync = true;
  } else if (chosen == &options::pause && n.is_up()) {
    n.paused_until_us = until_us;
  } else if (chosen == &options::partition) {
    partition();
  } else if (chosen == &options::one_way) {
    cut_one_way();
  } else if (chosen == &options::clog) {
    network_.clog(n.number, some_node().number, until_us);
  } else if (chosen == &options::slow_disk) {
    n.disk_slow_until_us = until_us;
  } else if (chosen == &options::stuck_disk) {
    n.disk_stuck_until_us = until_us;
  } else if (chosen == &options::full_disk) {
    n.disk_full_until_us = until_us;
  } else if (chosen == &options::bit_rot || chosen == &options::misdirected_write
             || chosen == &options::lost_write || chosen == &options::rollback) {
    damage_disk(chosen, n);
  } else if (chosen == &options::slow_machine) {
    n.machine_slow_until_us = until_us;
  } else if (chosen == &options::wall_jump) {
    n.wall_offset_us += luck_.between(-86'400'000'000, 86'400'000'000);
  } else if (chosen == &options::campaign && is_awake) {
    step(n, raft::campaign{});
  } else if (chosen == &options::link_reset) {
    reset_link();
  } else if (chosen == &options::transfer || chosen == &options::step_down) {
    ask_leader_to_go(chosen == &options::transfer);
  } else if (chosen == &options::change || chosen == &options::island) {
    change_members(chosen == &options::island);
  }
}

/// Halves, one node alone, a bridge (two halves and one node that reaches both), or a ring in which
/// each reaches its neighbours only; links heal together or one by one (swizzle).
void world::partition() {
  ++counts_.partitions;
  const auto total = nodes_total();
  const auto shape = luck_.below(4);
  const auto alone = luck_.between(1, total);
  const bool is_swizzle = luck_.permille(300);
  const auto until_us = now_us_ + luck_.around(options_.trouble_us);
  const auto sides = luck_.next();
  const auto side = [&](int64_t x) { return (sides >> x & 1) != 0; };
  const auto is_apart = [&](int64_t a, int64_t b) {
    switch (shape) {
      case 0: return side(a) != side(b);
      case 1: return a == alone || b == alone;
      case 2: return a != alone && b != alone && side(a) != side(b);
      default: return (a - b + total) % total != 1 && (b - a + total) % total != 1;
    }
  };
  for (int64_t a = 1; a <= total; ++a)
    for (int64_t b = 1; b <= total; ++b)
      if (a != b && is_apart(a, b)) {
        const auto own_us = is_swizzle ? now_us_ + luck_.around(options_.trouble_us) : until_us;
        network_.cut(static_cast<uint8_t>(a), static_cast<uint8_t>(b), own_us);
      }
}

/// One link, or all links into a node (it is deaf) or out of it (it is mute).
void world::cut_one_way() {
  ++counts_.partitions;
  auto* const leading = leader();
  const auto victim =
    leading != nullptr && luck_.permille(500) ? leading->number : some_node().number;
  const auto shape = luck_.below(3);
  const auto until_us = now_us_ + luck_.around(options_.trouble_us);
  if (shape == 0) {
    network_.cut(victim, some_node().number, until_us);
    return;
  }
  for (uint8_t other = 1; other < nodes_.size(); ++other)
    if (other != victim && shape == 1)
      network_.cut(other, victim, until_us);
    else if (other != victim)
      network_.cut(victim, other, until_us);
}

void world::reset_link() {
  auto& a = some_node();
  auto& b = some_node();
  if (a.number == b.number)
    return;
  if (a.is_up() && !a.is_paused(now_us_))
    step(a, raft::peer_unreachable{b.id()});
  if (b.is_up() && !b.is_paused(now_us_) && luck_.permille(500))
    step(b, raft::peer_unreachable{a.id()});
}

} // namespace caucus::sim
