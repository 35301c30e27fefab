#include "apps/bench/log_under_load.hpp"

#include "actors/gc.hpp"
#include "actors/spdlog_logger.hpp"
#include "actors/wal_writer.hpp"
#include "apps/bench/log_producer.hpp"
#include "apps/bench/queue_writer.hpp"
#include "persistence/batch_buffer.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <filesystem>
#include <thread>

namespace caucus::bench {

namespace {

using clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds warm_up{50};
/// A quarter of a segment.
constexpr size_t bytes_per_snapshot = size_t{16} << 20;
constexpr size_t collect_bytes = size_t{256} << 10;

/// Gives up all segments but those that the log's newest entries are in.
result<void> collect(persistence::wal& log, const persistence::wal_options& options) {
  persistence::segment_collector collector{log.reader()};
  while (log.usage().wants_collection(options.segment_bytes))
    if (auto done = collect_step(log, collector, collect_bytes); !done)
      return done.reason();
  return {};
}

/// Of a group of its own, until the next segment has begun.
result<void> fill_segment(persistence::wal& log, group_id group, uint64_t& batches) {
  constexpr size_t entries = 512;
  const auto payload = make_log_payload();
  if (auto done = log.reserve(); !done)
    return done;
  while (!log.wants_reserve()) {
    log.add(group, make_log_batch(batches++, entries, payload));
    if (auto done = log.commit(false); !done)
      return done;
  }
  log.add(group, make_log_mark(index_t{batches * entries}));
  return log.commit(true);
}

/// A log that has run for a while: its segments are given up as fast as new ones begin, and are
/// what these are written over.
result<void> reach_steady_state(persistence::wal& log, group_id filler) {
  log.add(make_log_group(filler));
  uint64_t batches = 0;
  for (size_t segment = 0; segment < 5; ++segment) {
    if (auto done = fill_segment(log, filler, batches); !done)
      return done;
    // The first few together, as spares for what follows.
    if (segment >= 3)
      if (auto done = collect(log, {}); !done)
        return done;
  }
  return log.reserve();
}

result<persistence::opened_wal> open_log(persistence::directory& where, const log_load_plan& plan) {
  const auto groups = plan.producers;
  auto opened = persistence::wal::open(where, {cluster_id{1}, node_id{1}});
  if (!opened)
    return opened;
  for (size_t group = 0; group < groups; ++group)
    opened->log->add(make_log_group(group_id{group + 1}));
  if (auto done = reach_steady_state(*opened->log, group_id{groups + 1}); !done)
    return done.reason();
  return opened;
}

result<log_load_result> measure_one_thread(persistence::wal& log, const log_load_plan& plan) {
  const auto payload = make_log_payload();
  uint64_t batches = 0;
  const auto begin = clock::now();
  while (clock::now() < begin + plan.duration) {
    log.add(group_id{1}, make_log_batch(batches++, plan.batch_entries, payload));
    if (auto done = log.commit(true); !done)
      return done.reason();
    if (log.wants_reserve()) {
      log.add(group_id{1}, make_log_mark(index_t{batches * plan.batch_entries}));
      if (auto done = log.reserve(); !done)
        return done.reason();
      if (auto done = collect(log, {}); !done)
        return done.reason();
    }
    if (auto done = log.prepare(); !done)
      return done.reason();
  }
  const std::chrono::duration<double> took = clock::now() - begin;
  return log_load_result{static_cast<double>(batches * plan.batch_entries) / took.count(),
                         static_cast<double>(plan.batch_entries)};
}

/// Tells the load that the log's writer has failed.
caf::behavior watch_writer(caf::event_based_actor* /*self*/, std::shared_ptr<log_load> load) {
  return {[load](const node_wal_failed& x) { load->fail(x.reason); }};
}

template <class Actor, class... Ts>
auto spawn_on(caf::actor_system& system, worker& home, Ts&&... xs) {
  caf::actor_config config{home.home()};
  return system.spawn_class<Actor, caf::no_spawn_options>(config, home.home(),
                                                          std::forward<Ts>(xs)...);
}

/// The producers, on a thread that they share as a node's replicas do.
class running_producers {
public:
  /// Without `marks` the groups' logs forget nothing.
  running_producers(caf::actor_system& system, const log_load_plan& plan, const append_sink& sink,
                    const mark_sink& marks, std::shared_ptr<log_load> load)
    : plan_{plan}, load_{std::move(load)}, self_{system}, home_{system, "bench.groups"} {
    home_.start();
    for (size_t i = 0; i < plan.producers; ++i)
      producers_.push_back(spawn_on<log_producer>(
        system, home_,
        producer_plan{group_id{i + 1}, plan.batch_entries, plan.batches_outstanding,
                      marks ? entries_per_snapshot(plan) : 0},
        sink, marks, load_));
  }

  result<log_load_result> measure(const std::function<uint64_t()>& count_syncs) {
    std::this_thread::sleep_for(warm_up);
    const auto entries_before = load_->acknowledged();
    const auto syncs_before = count_syncs();
    const auto begin = clock::now();
    std::this_thread::sleep_for(plan_.duration);
    const auto entries = static_cast<double>(load_->acknowledged() - entries_before);
    const auto syncs = static_cast<double>(count_syncs() - syncs_before);
    const std::chrono::duration<double> took = clock::now() - begin;
    load_->stop();
    if (load_->failure()) // Then they would wait for ever.
      for (auto& x : producers_)
        caf::anon_send_exit(x, caf::exit_reason::kill);
    self_->wait_for(producers_);
    home_.stop();
    if (auto failed = load_->failure())
      return *failed;
    return log_load_result{entries / took.count(), syncs > 0 ? entries / syncs : 0};
  }

private:
  static size_t entries_per_snapshot(const log_load_plan& plan) {
    return std::max(bytes_per_snapshot / log_batch_bytes(1) / plan.producers, plan.batch_entries);
  }

  const log_load_plan& plan_;
  std::shared_ptr<log_load> load_;
  caf::scoped_actor self_;
  worker home_;
  std::vector<caf::actor> producers_;
};

result<log_load_result> measure_queue(caf::actor_system& system, persistence::wal& log,
                                      const log_load_plan& plan) {
  auto load = std::make_shared<log_load>();
  queue_writer writer{log, load};
  running_producers producers{
    system, plan, [&](wal_append x) { writer.push(std::move(x)); }, {}, load};
  return producers.measure([] { return uint64_t{0}; });
}

result<log_load_result> measure_actor(caf::actor_system& system,
                                      std::unique_ptr<persistence::wal> log,
                                      const log_load_plan& plan) {
  auto load = std::make_shared<log_load>();
  caf::scoped_actor self{system};
  auto node = std::make_shared<node_context>();
  node->environment = make_production_environment();
  node->environment->log = make_spdlog_logger("", log_level::warning);
  auto watcher = system.spawn(watch_writer, load);
  node->supervisor = caf::actor_cast<node_actor>(watcher);
  worker home{system, "bench.wal"};
  worker collectors_home{system, "bench.gc"};
  home.start();
  collectors_home.start();
  const auto reader = log->reader();
  auto writer =
    caf::actor_cast<wal_writer_actor>(spawn_on<wal_writer>(system, home, std::move(log), node));
  node->wal = writer;
  auto collector = spawn_on<gc>(system, collectors_home, reader, node);
  auto measured = [&] {
    mark_sink marks;
    if (plan.producers == 1) // Else it is compared with a thread that collects nothing.
      marks = [&](wal_mark x) { caf::anon_send(writer, std::move(x)); };
    running_producers producers{
      system, plan, [&](wal_append x) { caf::anon_send(writer, std::move(x)); }, marks, load};
    return producers.measure([&] { return node->log_syncs.load(std::memory_order_relaxed); });
  }();
  caf::anon_send_exit(collector, caf::exit_reason::kill);
  self->wait_for(collector);
  collectors_home.stop();
  caf::anon_send(writer, wal_close{});
  self->wait_for(writer);
  home.stop();
  node->wal = nullptr; // Which holds the node, too.
  caf::anon_send_exit(watcher, caf::exit_reason::user_shutdown);
  return measured;
}

result<log_load_result> measure_in(const std::string& directory, const log_load_plan& plan) {
  auto where = persistence::open_posix_directory(directory);
  if (!where)
    return where.reason();
  auto opened = open_log(**where, plan);
  if (!opened)
    return opened.reason();
  if (plan.writer == log_writer::one_thread)
    return measure_one_thread(*opened->log, plan);
  caf::actor_system_config config;
  config.set("scheduler.max-threads", 1);
  caf::actor_system system{config};
  return plan.writer == log_writer::queue ? measure_queue(system, *opened->log, plan)
                                          : measure_actor(system, std::move(opened->log), plan);
}

} // namespace

size_t log_batch_bytes(size_t entries) {
  persistence::batch_buffer batch;
  batch.add_entries(group_id{1}, replica_uid{1},
                    make_log_batch(0, entries, make_log_payload()).entries);
  return batch.bytes();
}

result<log_load_result> measure_log(const std::string& directory, const log_load_plan& plan) {
  auto measured = measure_in(directory, plan);
  std::error_code ignored; // What can't be removed stays, visibly, in the run's directory.
  std::filesystem::remove_all(directory, ignored);
  return measured;
}

} // namespace caucus::bench
