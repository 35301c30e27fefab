#include "apps/sim/world.hpp"

#include "apps/sim/history/checker.hpp"
#include "apps/sim/violation.hpp"

#include <algorithm>

namespace caucus::sim {

namespace {

/// Every part draws from dice of its own, so that a draw more in one doesn't reshuffle the others.
uint64_t stream(const options& x, uint64_t which) {
  return rng::mix(rng::mix(static_cast<uint64_t>(x.seed)) + which);
}

} // namespace

world::world(const options& x, const run_settings& how)
  : options_{x},
    is_checked_{how.is_checked},
    trace_{static_cast<uint64_t>(x.seed), how.trace_to, how.trace_first},
    timing_{stream(x, 1)},
    disks_{stream(x, 2)},
    luck_{stream(x, 3)},
    network_{x, stream(x, 4)},
    nodes_(static_cast<size_t>(x.nodes + x.learners) + 1),
    clients_{x, stream(x, 5), for_clients(), counts_} {
  for (uint8_t i = 1; i < nodes_.size(); ++i) {
    auto& n = nodes_[i];
    n.number = i;
    n.rate_permille = 1000 + luck_.between(-x.clock_skew_permille, x.clock_skew_permille);
    (i <= x.nodes ? members_.voters : members_.learners).insert(n.id());
  }
  for (size_t i = 1; i < nodes_.size(); ++i)
    start(nodes_[i]);
  clients_.start();
  if (x.fault_every_us > 0)
    queue_.push({.at_us = timing_.around(x.fault_every_us), .kind = event_kind::fault});
}

void world::run() {
  const auto limit = static_cast<uint64_t>(options_.events);
  while (counts_.events < limit)
    dispatch(queue_.pop());
  if (options_.liveness != 0)
    heal_and_require();
  counts_.virtual_ms = static_cast<uint64_t>(now_us_ / 1000);
  counts_.messages_dropped += network_.lost;
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
      case event_kind::tick:
      case event_kind::flush:
      case event_kind::disk_start:
      case event_kind::disk_done:
      case event_kind::notice:
      case event_kind::apply:
      case event_kind::read_done:
      case event_kind::restart: break;
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
    case event_kind::deliver:
    case event_kind::client:
    case event_kind::fault: break;
  }
}

void world::plan(event_kind kind, int64_t at_us, const sim_node& n, uint32_t arg) {
  queue_.push({.at_us = at_us, .arg = arg, .life = n.life, .kind = kind, .node = n.number});
}

void world::say(const sim_node& n, std::string_view what) {
  if (trace_.is_read())
    trace_.line(now_us_, counts_.events, n.number, what);
}

clients::surroundings world::for_clients() {
  return {
    .some_node = [this](dice& draw) { return some_node(draw); },
    .propose = [this](uint8_t node, caller who,
                      const raft::command& body) { return propose(node, who, body); },
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

void world::run_until(int64_t deadline_us, const char* awaited,
                      const std::function<bool()>& is_done) {
  while (!is_done()) {
    if (queue_.top().at_us > deadline_us)
      throw violation{"liveness", text("a connected majority of live nodes has ", awaited,
                                       " not within 20 election timeouts")};
    dispatch(queue_.pop());
  }
}

/// A random majority is healed, the others stay dead: it must serve within 20 election timeouts
/// and agree within as many more (RELIABILITY section 3.4).
void world::heal_and_require() {
  ++counts_.liveness_checks;
  heal();
  clients_.mark();
  const auto patience_us = 20 * options_.election_ticks * options_.tick_us;
  run_until(now_us_ + patience_us, "served", [this] { return clients_.is_served(); });
  clients_.stop();
  run_until(now_us_ + patience_us, "come to rest",
            [this] { return clients_.is_idle() && has_converged(); });
}

void world::heal() {
  is_healed_ = true;
  network_.heal();
  // Fast, so that a replica far behind catches up in time even through windows of one entry.
  for (auto field : {&options::flush_us, &options::send_us, &options::hand_us, &options::notice_us,
                     &options::apply_us})
    options_.*field = 0;
  options_.sync_min_us = options_.sync_mean_us = 10;
  options_.apply_max = 1000;
  options_.failed_read_permille = 0;
  std::vector<uint8_t> voters;
  for (auto id : members_.voters)
    voters.push_back(static_cast<uint8_t>(id.value()));
  for (size_t i = voters.size(); i > 1; --i)
    std::swap(voters[i - 1], voters[static_cast<size_t>(luck_.below(static_cast<int64_t>(i)))]);
  const auto total = static_cast<int64_t>(voters.size());
  const auto kept = luck_.between(total / 2 + 1, total);
  for (int64_t i = 0; i < total; ++i) {
    auto& n = nodes_[voters[static_cast<size_t>(i)]];
    // Who stands still would do so until the end of its trouble, which is already planned.
    const bool is_stuck = n.is_paused(now_us_) || now_us_ < n.disk_stuck_until_us
                          || now_us_ < n.disk_slow_until_us || now_us_ < n.machine_slow_until_us;
    n.paused_until_us = n.disk_slow_until_us = n.disk_stuck_until_us = n.machine_slow_until_us = 0;
    n.fails_next_sync = false;
    if (n.is_up() && (i >= kept || is_stuck))
      crash(n, false);
    else if (!n.is_up())
      ++n.life; // Voids its planned restart.
    n.ended_us.resize(n.life, now_us_);
    if (i < kept && !n.is_up())
      start(n);
  }
}

bool world::has_converged() const {
  const sim_node* first = nullptr;
  size_t leading = 0;
  for (auto id : members_.voters) {
    const auto& n = nodes_[id.value()];
    if (!n.is_up())
      continue;
    first = first == nullptr ? &n : first;
    leading += n.role == raft::role::leader ? 1 : 0;
    if (n.log.last() != first->log.last() || n.hard.commit != n.log.last()
        || n.machine->applied() != n.log.last())
      return false;
  }
  return leading == 1;
}

void world::judge() {
  if (committed_.last() > index_t{})
    committed_.check_quorum(committed_.last(), members_,
                            [this](node_id id, index_t index, uint64_t hash) {
                              const auto& log = nodes_[id.value()].disk.durable();
                              return log.has(index) && log.hash_at(index) == hash;
                            });
  const auto history = clients_.history();
  counts_.reads_checked += static_cast<uint64_t>(
    std::count_if(history.begin(), history.end(), [](const history::operation& x) {
      return x.what.kind == history::action::kind::get && !x.is_open();
    }));
  if (const auto found = history::check(history); found.verdict != history::verdict::linearizable)
    throw violation{"linearizability", found.why};
}

} // namespace caucus::sim
