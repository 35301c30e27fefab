// What needs real threads: blocked disks and an application that takes every thread of the
// scheduler.

#include "tests/support/live_cluster.hpp"
#include "tests/support/virtual_cluster.hpp"

#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <sys/resource.h>

namespace caucus::testing {

namespace {

using namespace std::chrono_literals;

machine_factory tally() {
  return [] { return std::make_unique<tally_machine>(); };
}

/// How nice each of this process's threads of that name is.
std::vector<int> niceness_of(const std::string& thread_name) {
  std::vector<int> found;
  for (const auto& thread : std::filesystem::directory_iterator{"/proc/self/task"}) {
    std::string name;
    std::getline(std::ifstream{thread.path() / "comm"}, name);
    if (name == thread_name)
      found.push_back(::getpriority(
        PRIO_PROCESS, static_cast<id_t>(std::stoul(thread.path().filename().string()))));
  }
  return found;
}

} // namespace

TEST_CASE(
  "S-30 a leader whose sync never returns commits through its followers and isn't counted") {
  caf::actor_system_config config;
  setup(config);
  caf::actor_system system{config};
  live_cluster cluster{system, 3, tally()};
  cluster.start_all();
  auto leader = cluster.wait_for_leader();
  REQUIRE(leader != 0);
  REQUIRE(cluster.propose(leader, "before", 10s).has_value());
  auto follower = leader == 1 ? 2u : 1u;
  auto other = 6 - leader - follower;
  auto commit_before = cluster.status(leader).commit;

  cluster.disk(leader).hold_syncs(true);
  // Answered by the follower's own apply, while the leader's disk still owes the entry.
  auto result = cluster.propose(follower, "through followers", 10s);
  REQUIRE(result.has_value());
  CHECK(result->kind == outcome_kind::committed);
  auto seen = cluster.status(leader);
  CHECK(seen.persisted < result->index);
  CHECK(seen.commit > commit_before);
  CHECK(seen.applied < result->index);

  // With one follower's disk stuck as well only one disk keeps the next entry: nobody may be told.
  cluster.disk(other).hold_syncs(true);
  auto silent = cluster.propose(follower, "on one disk only", 600ms);
  CHECK_FALSE((silent && silent->kind == outcome_kind::committed));
  cluster.disk(other).hold_syncs(false);
  cluster.disk(leader).hold_syncs(false);
}

TEST_CASE("where CPU is short, snapshots wait and commands don't") {
  caf::actor_system_config config;
  setup(config);
  caf::actor_system system{config};
  live_cluster cluster{system, 1, tally()};
  cluster.start_all();
  REQUIRE(cluster.wait_for_leader() != 0);
  const auto ours = ::getpriority(PRIO_PROCESS, 0);
  CHECK(live_cluster::wait_until(
    [&] { return niceness_of("caucus.snapshot") == std::vector{std::min(ours + 10, 19)}; }));
  for (const auto* name : {"caucus.group0", "caucus.machine", "caucus.wal", "caucus.sync"})
    for (const auto nice : niceness_of(name))
      CHECK(nice == ours);
}

TEST_CASE("with both followers' disks stuck nothing is acknowledged") {
  caf::actor_system_config config;
  setup(config);
  caf::actor_system system{config};
  live_cluster cluster{system, 3, tally()};
  cluster.start_all();
  auto leader = cluster.wait_for_leader();
  REQUIRE(leader != 0);
  for (uint64_t id = 1; id <= 3; ++id)
    if (id != leader)
      cluster.disk(id).hold_syncs(true);
  auto result = cluster.propose(leader, "x", 1s);
  CHECK_FALSE((result && result->kind == outcome_kind::committed));
  for (uint64_t id = 1; id <= 3; ++id)
    cluster.disk(id).hold_syncs(false);
  CHECK(live_cluster::wait_until([&] {
    auto again = cluster.propose(cluster.wait_for_leader(), "y", 5s);
    return again && again->kind == outcome_kind::committed;
  }));
}

TEST_CASE("beside busy actors on every thread of CAF's default scheduler no leader changes") {
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("stealing"));
  setup(config);
  caf::actor_system system{config};
  // Endless ping-pong, more pairs than threads: CAF's own timers and requests never run beside it.
  std::vector<caf::actor> busy;
  for (size_t i = 0; i < 2 * system.scheduler().num_workers(); ++i) {
    auto pong = [](caf::event_based_actor* self, int) -> caf::behavior {
      return {[self](caf::ping_atom, const caf::actor& from) {
        self->send(from, caf::ping_atom::value, caf::actor{self});
      }};
    };
    auto one = system.spawn(pong, 0);
    auto two = system.spawn(pong, 0);
    caf::anon_send(one, caf::ping_atom::value, two);
    busy.push_back(one);
    busy.push_back(two);
  }
  {
    live_cluster cluster{system, 3, tally()};
    cluster.start_all();
    auto leader = cluster.wait_for_leader();
    REQUIRE(leader != 0);
    auto term = cluster.status(leader).term;
    size_t committed = 0;
    auto end = std::chrono::steady_clock::now() + 10s;
    while (std::chrono::steady_clock::now() < end) {
      auto result = cluster.propose(leader, "x", 5s);
      if (!result || result->kind != outcome_kind::committed)
        break;
      ++committed;
    }
    CHECK(std::chrono::steady_clock::now() >= end);
    CHECK(committed > 100);
    CHECK(cluster.status(leader).term == term);
    CHECK(cluster.status(leader).role == "leader");
  }
  for (auto& one : busy)
    caf::anon_send_exit(one, caf::exit_reason::kill);
}

TEST_CASE("a second node on the same directory is refused") {
  caf::actor_system_config config;
  setup(config);
  caf::actor_system system{config};
  memory_disk disk;
  node_options with;
  with.id = node_id{1};
  with.data_directory = "memory";
  with.members = {{node_id{1}, {"127.0.0.1", 0}}};
  auto environment = make_production_environment();
  environment->log = std::make_shared<null_logger>();
  environment->open_directory = [&](const node_options&) { return disk.open(); };
  environment->open_event_log = [](const node_options&) -> result<std::unique_ptr<event_log>> {
    return error{errc::io_failed, "not needed"};
  };
  auto held = disk.open();
  REQUIRE(held.ok());
  auto second = node::start(system, with, environment);
  REQUIRE_FALSE(second.ok());
  CHECK(second.reason().code == errc::in_use);
}

} // namespace caucus::testing
