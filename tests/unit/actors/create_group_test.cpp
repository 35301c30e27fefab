// Making and opening groups: the factory is the application's code and may fail, or be slow.

#include "tests/support/live_cluster.hpp"
#include "tests/support/virtual_cluster.hpp"

#include <doctest/doctest.h>

#include <future>
#include <thread>

namespace caucus::testing {

namespace {

using namespace std::chrono_literals;

std::unique_ptr<state_machine> fail_to_make() { throw std::runtime_error{"no room for it"}; }

/// Opens `name` on all nodes and commits `commands` there.
void fill(virtual_cluster& cluster, const std::string& name, size_t commands) {
  group_actor group;
  for (uint64_t id = 1; id <= 3; ++id)
    group = *cluster.node_of(id).create_group(name, cluster.machine());
  REQUIRE(cluster.run_until([&] { return cluster.status(group).leader != 0; }));
  recording_client client{cluster.system()};
  for (size_t i = 0; i < commands; ++i)
    client.propose(group, "x");
  REQUIRE(cluster.run_until([&] { return client.answered() == commands; }));
  REQUIRE(client.committed() == commands);
}

void check_names(const error& reason, std::string_view group, std::string_view why) {
  CAPTURE(reason.what);
  CHECK(reason.what.find("'" + std::string{group} + "'") != std::string::npos);
  CHECK(reason.what.find(why) != std::string::npos);
}

} // namespace

TEST_CASE("a factory that fails changes nothing: the next try opens the group with its log") {
  virtual_cluster cluster{{}};
  cluster.start_all();
  fill(cluster, "other", 5);
  for (uint64_t id = 1; id <= 3; ++id)
    cluster.stop(id);
  cluster.start_all();

  for (int i = 0; i < 2; ++i) {
    auto thrown = cluster.node_of(1).create_group("other", fail_to_make);
    REQUIRE_FALSE(thrown.ok());
    CHECK(thrown.reason().code == errc::machine_failed);
    check_names(thrown.reason(), "other", "no room for it");
    auto none = cluster.node_of(1).create_group("other", [] { return nullptr; });
    REQUIRE_FALSE(none.ok());
    CHECK(none.reason().code == errc::machine_failed);
    check_names(none.reason(), "other", "no machine");
  }
  auto without = cluster.node_of(1).create_group("other", machine_factory{});
  REQUIRE_FALSE(without.ok());
  CHECK(without.reason().code == errc::invalid_argument);
  cluster.settle();
  CHECK(cluster.health(1).healthy);

  auto opened = cluster.node_of(1).create_group("other", cluster.machine());
  REQUIRE(opened.ok());
  auto status = cluster.status(*opened);
  CHECK(status.fault.empty());
  CHECK(status.last >= 5);
  for (uint64_t id = 2; id <= 3; ++id)
    REQUIRE(cluster.node_of(id).create_group("other", cluster.machine()).ok());
  CHECK(cluster.run_until([&] { return cluster.status(*opened).machine == "{\"count\":5}"; }));
  CHECK(cluster.health(1).healthy);
}

TEST_CASE("a factory that fails for a group that never was leaves no trace of it") {
  virtual_cluster cluster{{}};
  cluster.start_all();
  CHECK_FALSE(cluster.node_of(1).create_group("fresh", fail_to_make).ok());
  fill(cluster, "fresh", 3);
  CHECK(cluster.health(1).healthy);
}

TEST_CASE("a factory may use the node, but not ask for the group that it is called for") {
  virtual_cluster cluster{{}};
  cluster.start_all();
  auto& node = cluster.node_of(1);
  auto outer = node.create_group("outer", [&]() -> std::unique_ptr<state_machine> {
    CHECK(node.health().healthy);
    CHECK(node.create_group("inner", cluster.machine()).ok());
    auto again = node.create_group("outer", cluster.machine());
    REQUIRE_FALSE(again.ok());
    CHECK(again.reason().code == errc::invalid_argument);
    check_names(again.reason(), "outer", "factory");
    return std::make_unique<tally_machine>();
  });
  CHECK(outer.ok());
}

TEST_CASE("two that create one group at once get one group, and nobody else waits for them") {
  caf::actor_system_config config;
  setup(config);
  caf::actor_system system{config};
  live_cluster cluster{system, 1, [] { return std::make_unique<tally_machine>(); }};
  cluster.start_all();
  auto node = cluster.node_of(1);
  std::promise<void> entered;
  std::promise<void> released;
  auto go_on = released.get_future().share();
  std::atomic<int> made{0};
  auto slow = std::async(std::launch::async, [&] {
    return node.create_group("shared", [&]() -> std::unique_ptr<state_machine> {
      ++made;
      entered.set_value();
      go_on.wait();
      return std::make_unique<tally_machine>();
    });
  });
  entered.get_future().wait();
  auto second = std::async(std::launch::async, [&] {
    return node.create_group("shared", [&]() -> std::unique_ptr<state_machine> {
      ++made;
      return std::make_unique<tally_machine>();
    });
  });
  auto beside = std::async(std::launch::async, [&] {
    auto healthy = node.health().healthy;
    return healthy
           && node.create_group("beside", [] { return std::make_unique<tally_machine>(); }).ok();
  });
  auto beside_in_time = beside.wait_for(20s) == std::future_status::ready;
  CHECK(beside_in_time);
  released.set_value();
  CHECK(beside.get());
  auto first_handle = slow.get();
  auto second_handle = second.get();
  REQUIRE(first_handle.ok());
  REQUIRE(second_handle.ok());
  CHECK(*first_handle == *second_handle);
  CHECK(made == 1);
}

TEST_CASE("a node that stops while a factory runs takes no group any more") {
  virtual_cluster cluster{{}};
  cluster.start_all();
  auto made = cluster.node_of(1).create_group("late", [&]() -> std::unique_ptr<state_machine> {
    cluster.node_of(1).stop();
    return std::make_unique<tally_machine>();
  });
  REQUIRE_FALSE(made.ok());
  CHECK(made.reason().code == errc::stopping);
}

} // namespace caucus::testing
