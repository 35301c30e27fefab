#include "apps/sim/world.hpp"

#include "apps/sim/history/checker.hpp"
#include "membership/quorum.hpp"

#include <algorithm>

namespace caucus::sim {

namespace {

/// Every part draws from dice of its own, so that a draw more in one doesn't reshuffle the others.
uint64_t stream(const options& x, uint64_t which) {
  return rng::mix(rng::mix(static_cast<uint64_t>(x.seed)) + which);
}

/// Only the production storage can tell.
bool lies(const options& x) { return x.storage != 0 && x.damage != 0; }

} // namespace

world::world(const options& x, const run_settings& how)
  : options_{x},
    is_checked_{how.is_checked},
    trace_{static_cast<uint64_t>(x.seed), how.trace_to, how.trace_first},
    timing_{stream(x, 1)},
    disks_{stream(x, 2)},
    luck_{stream(x, 3)},
    network_{x, stream(x, 4)},
    nodes_(static_cast<size_t>(x.nodes + x.learners + x.spares + (lies(x) ? x.replacements : 0))
           + 1),
    clients_{x, stream(x, 5), for_clients(), counts_} {
  if (!lies(x))
    for (auto field : {&options::damage, &options::bit_rot, &options::misdirected_write,
                       &options::lost_write, &options::rollback})
      options_.*field = 0;
  for (uint8_t i = 1; i < nodes_.size(); ++i) {
    auto& n = nodes_[i];
    n.number = i;
    n.rate_permille = 1000 + luck_.between(-x.clock_skew_permille, x.clock_skew_permille);
    if (i <= x.nodes + x.learners)
      (i <= x.nodes ? first_members_.voters : first_members_.learners).insert(n.id());
  }
  members_ = judges_ = std::make_shared<const membership::configuration>(first_members_);
  const auto nobody = std::make_shared<const membership::configuration>();
  for (uint8_t i = 1; i < nodes_.size() && x.storage != 0; ++i)
    use_production_storage(nodes_[i], stream(x, 6));
  for (uint8_t i = 1; i < nodes_.size(); ++i) // Who joins learns them from the log.
    nodes_[i].disk.format(first_members_.is_member(nodes_[i].id()) ? members_ : nobody);
  for (auto id : first_members_.members())
    start(nodes_[id.value()]);
  clients_.start();
  if (x.fault_every_us > 0)
    queue_.push({.at_us = timing_.around(x.fault_every_us), .kind = event_kind::fault});
}

void world::run() {
  const auto limit = static_cast<uint64_t>(options_.events);
  while (counts_.events < limit)
    dispatch(queue_.pop());
  if (options_.liveness != 0) {
    end_faults();
    if (options_.damage != 0 && !can_serve(whole_nodes()))
      ++counts_.liveness_waived; // Too few are left that can: that they don't lie is all.
    else
      heal_and_require();
  }
  count_damage();
  counts_.virtual_ms = static_cast<uint64_t>(now_us_ / 1000);
  counts_.messages_dropped += network_.lost;
  counts_.messages_lost += network_.lost;
  counts_.messages_duplicated += network_.duplicated;
  counts_.messages_reordered += network_.reordered;
  if (is_checked_)
    judge();
}

void world::dispatch(const event& x) {
  now_us_ = x.at_us;
  try {
    switch (x.kind) {
      case event_kind::deliver: deliver(x); return;
      case event_kind::client: clients_.wake(x.arg, now_us_); return;
      case event_kind::fault: inject(); return;
      case event_kind::snapshot_arrives: receive_snapshot(x); return;
      case event_kind::tick:
      case event_kind::flush:
      case event_kind::disk_start:
      case event_kind::disk_done:
      case event_kind::notice:
      case event_kind::apply:
      case event_kind::read_done:
      case event_kind::restart:
      case event_kind::snapshot_made:
      case event_kind::snapshot_stored:
      case event_kind::eager_change:
      case event_kind::replacement: break;
    }
    if (auto& n = nodes_[x.node]; n.life == x.life)
      on_node(x, n);
  } catch (const invariant_violation& broken) {
    throw violation{"core", broken.what()};
  }
}

void world::on_node(const event& x, sim_node& n) {
  if (n.is_paused(now_us_) && x.kind != event_kind::disk_done && x.kind != event_kind::restart) {
    plan(x.kind, n.paused_until_us, n, x.arg);
    return;
  }
  switch (x.kind) {
    case event_kind::tick: tick(n); break;
    case event_kind::flush: take(n); break;
    case event_kind::disk_start: start_disk(n); break;
    case event_kind::disk_done: finish_disk(n); break;
    case event_kind::notice: step(n, raft::persisted{persist_seq{x.arg}}); break;
    case event_kind::apply: apply(n); break;
    case event_kind::read_done: finish_read(n); break;
    case event_kind::restart:
      if (!n.is_up())
        start(n);
      break;
    case event_kind::snapshot_made: finish_snapshot(n); break;
    case event_kind::snapshot_stored: store_snapshot(n); break;
    case event_kind::eager_change:
      if (is_healed_) // Planned before: it would split the healed again, or ask for the dead.
        break;
      if (luck_.permille(500))
        ask_change(n, {.changes = {some_change()}, .even_if_behind = true});
      else
        change_and_split(n);
      break;
    case event_kind::replacement: replace(n); break;
    case event_kind::deliver:
    case event_kind::client:
    case event_kind::snapshot_arrives:
    case event_kind::fault: break;
  }
}

void world::plan(event_kind kind, int64_t at_us, const sim_node& n, uint32_t arg) {
  queue_.push({.at_us = at_us, .arg = arg, .life = n.life, .kind = kind, .node = n.number});
}

clients::surroundings world::for_clients() {
  return {
    .some_node = [this](dice& draw) { return some_node(draw); },
    .propose = [this](uint8_t node, caller who,
                      const raft::command& body) { return propose(node, who, body); },
    .read = [this](uint8_t node, caller who, uint32_t object,
                   raft::consistency how) { return read(node, who, object, how); },
    .wake_at =
      [this](uint32_t client, int64_t at_us) {
        queue_.push({.at_us = at_us, .arg = client, .kind = event_kind::client});
      },
    .rejected =
      [this](uint32_t operation) {
        if (is_checked_)
          executed_.on_rejected(operation);
      },
  };
}

void world::run_until(int64_t timeouts, const char* awaited, const std::function<bool()>& is_done) {
  const auto deadline_us = now_us_ + timeouts * options_.election_ticks * options_.tick_us;
  while (!is_done()) {
    if (queue_.next_us() > deadline_us)
      throw violation{"liveness", text("a connected majority of live nodes has ", awaited,
                                       " not within ", timeouts, " election timeouts")};
    dispatch(queue_.pop());
  }
}

/// A random majority is healed, the others stay dead: it must serve within 20 election timeouts
/// and agree within as many more (RELIABILITY section 3.4). Without pre-votes those who can't win
/// take term after term, and each other's votes, from the only one who can: it gets through by luck
/// (thesis §9.6; seed 52850 took 28), so that only a group that never serves is told from that.
void world::heal_and_require() {
  const bool has_pre_votes = options_.pre_vote != 0;
  ++counts_.liveness_checks;
  ++(!has_pre_votes           ? counts_.liveness_60_dead
     : options_.liveness == 2 ? counts_.liveness_20_deaf
                              : counts_.liveness_20_dead);
  heal();
  clients_.mark();
  run_until(has_pre_votes ? 20 : 60, "served", [this] { return clients_.is_served(); });
  clients_.stop();
  // Clients may use all their attempts.
  const auto attempts_us = options_.attempts_max * (options_.attempt_us + options_.retry_us);
  run_until(20 + attempts_us / (options_.election_ticks * options_.tick_us), "come to rest",
            [this] { return clients_.is_idle() && has_converged(); });
}

void world::end_faults() {
  is_healed_ = true;
  network_.heal();
  // Fast, so that a replica far behind catches up in time even through windows of one entry.
  for (auto field : {&options::flush_us, &options::send_us, &options::hand_us, &options::notice_us,
                     &options::apply_us, &options::snapshot_us})
    options_.*field = 0;
  options_.sync_min_us = options_.sync_mean_us = 10;
  options_.apply_max = 1000;
  options_.failed_read_permille = 0;
  for (auto& n : nodes_)
    if (n.is_up() && !n.is_paused(now_us_))
      take(n); // What its core has decided counts: it may need others to serve (seed 5433).
}

void world::heal() {
  const bool are_deaf = options_.liveness == 2; // The others.
  const auto timeout_us = options_.election_ticks * options_.tick_us;
  healed_ = some_majority();
  for (auto& n : nodes_) {
    if (!n.has_started)
      continue; // Nobody, or a spare that was never needed.
    const bool is_kept = is_healed(n.number);
    // Who stands still would do so until the end of its trouble, which is already planned.
    const bool is_stuck = n.is_paused(now_us_) || now_us_ < n.disk_stuck_until_us
                          || now_us_ < n.disk_slow_until_us || now_us_ < n.machine_slow_until_us
                          || now_us_ + timeout_us < n.disk_done_at_us;
    n.paused_until_us = n.disk_slow_until_us = n.disk_stuck_until_us = n.machine_slow_until_us = 0;
    n.disk_full_until_us = 0;
    n.fails_next_sync = false;
    heal_storage(n);
    if (are_deaf && !is_kept)
      for (uint8_t from = 1; from < nodes_.size(); ++from)
        network_.cut(from, n.number, std::numeric_limits<int64_t>::max());
    if (n.is_up() && (is_stuck || (!is_kept && !are_deaf)))
      crash(n, false);
    else if (!n.is_up())
      ++n.life; // Voids its planned restart.
    n.ended_us.resize(n.life, now_us_);
    if (is_kept && !n.is_up())
      start(n);
  }
}

/// Takes nodes away in random order as long as the rest can serve.
std::vector<uint8_t> world::some_majority() {
  auto alive = whole_nodes();
  for (size_t i = alive.size(); i > 1; --i)
    std::swap(alive[i - 1], alive[static_cast<size_t>(luck_.below(static_cast<int64_t>(i)))]);
  const auto fewest = static_cast<size_t>(luck_.between(1, static_cast<int64_t>(alive.size())));
  for (size_t i = 0; i < alive.size() && alive.size() > fewest;) {
    auto fewer = alive;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    if (can_serve(fewer))
      alive = std::move(fewer);
    else
      ++i;
  }
  return alive;
}

/// A majority of the committed configuration, and of each later one that a log of somebody alive
/// has: its leader would need that.
bool world::can_serve(const std::vector<uint8_t>& alive) const {
  const auto is_there = [&](node_id id) {
    return std::find(alive.begin(), alive.end(), id.value()) != alive.end();
  };
  const auto is_majority = [&](membership::configuration members) {
    // A leader that heard them a moment ago promotes the dead as well.
    for (auto id : members.staging)
      if (!is_there(id))
        members.voters.insert(id);
    return membership::tally_votes(members,
                                   [&](node_id id) {
                                     return is_there(id) ? membership::vote::granted
                                                         : membership::vote::refused;
                                   })
           == membership::vote_result::won;
  };
  if (!is_majority(*members_))
    return false;
  for (const auto& n : nodes_) {
    // The deaf still send what their logs have.
    if (!is_there(n.id()) && !(options_.liveness == 2 && n.is_up()))
      continue;
    for (auto i = std::max(n.log.before(), commit_) + 1; i <= n.log.last(); ++i)
      if (n.log.at(i)->body.kind == raft::entry_kind::configuration
          && !is_majority(*n.log.members_at(i)))
        return false;
  }
  return true;
}

bool world::is_healed(uint8_t node) const {
  return std::find(healed_.begin(), healed_.end(), node) != healed_.end();
}

bool world::has_converged() const {
  const auto leads = [this](const sim_node& n) {
    return is_healed(n.number) && n.is_up() && n.role == raft::role::leader
           && !n.log.members()->is_joint();
  };
  const auto leading = std::find_if(nodes_.begin(), nodes_.end(), leads);
  if (leading == nodes_.end())
    return false;
  const auto& members = *leading->log.members();
  return std::all_of(nodes_.begin(), nodes_.end(), [&](const sim_node& n) {
    if (!is_healed(n.number) || !n.is_up() || !members.is_member(n.id()))
      return true;
    const auto last = leading->log.last();
    return n.log.last() == last && n.hard.commit == last && n.machine->applied() == last
           && (&n == &*leading || n.role == raft::role::follower);
  });
}

void world::judge() {
  if (committed_.last() > index_t{})
    committed_.check_quorum(committed_.last(), {&judges_, 1}, durable_anywhere());
  const auto history = clients_.history();
  counts_.reads_checked += static_cast<uint64_t>(
    std::count_if(history.begin(), history.end(), [](const history::operation& x) {
      return x.what.kind == history::action::kind::get && !x.is_open();
    }));
  if (const auto found = history::check(history); found.verdict != history::verdict::linearizable)
    throw violation{"linearizability", found.why};
}

} // namespace caucus::sim
