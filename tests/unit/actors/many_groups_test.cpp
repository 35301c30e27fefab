// What shows only with many groups at once, on real threads and sockets.

#include "tests/support/live_cluster.hpp"
#include "tests/support/virtual_cluster.hpp"

#include <doctest/doctest.h>

namespace caucus::testing {

namespace {

using namespace std::chrono_literals;

machine_factory tally() {
  return [] { return std::make_unique<tally_machine>(); };
}

} // namespace

TEST_CASE("a thousand groups of three new nodes settle, sleep, and answer") {
  constexpr size_t groups = 1000;
  caf::actor_system_config config;
  setup(config);
  caf::actor_system system{config};
  live_cluster cluster{system, 3, tally()};
  cluster.start_all();
  std::vector<group_actor> handles;
  for (size_t i = 0; i < groups; ++i)
    for (uint64_t id = 1; id <= 3; ++id) {
      auto opened = cluster.node_of(id).create_group("one-of-" + std::to_string(i), tally());
      REQUIRE(opened.ok());
      if (i % 3 == id - 1) // Each node is asked for a third of them, whoever leads.
        handles.push_back(*std::move(opened));
    }
  const auto all_asleep = [&] {
    for (uint64_t id = 1; id <= 3; ++id)
      if (cluster.node_of(id).counters().awake_groups > 0)
        return false;
    return true;
  };
  // Only who leads, or follows a leader, sleeps; and each group's three only together.
  REQUIRE(live_cluster::wait_until(all_asleep, 120s));

  // Asked again who wasn't executed: with all of them waking at once some may lose their leader.
  caf::scoped_actor self{system};
  const auto ask = [&](const group_actor& group) {
    return self->request(group, 60s, command{.payload = shared_bytes::copy_of("x")});
  };
  for (int attempt = 0; !handles.empty() && attempt < 20; ++attempt) {
    std::vector<decltype(ask(handles.front()))> asked;
    for (const auto& handle : handles)
      asked.push_back(ask(handle));
    std::vector<group_actor> again;
    for (size_t i = 0; i < asked.size(); ++i)
      asked[i].receive(
        [&](const outcome& x) {
          if (x.kind != outcome_kind::committed)
            again.push_back(handles[i]);
        },
        [&](const caf::error&) { again.push_back(handles[i]); });
    handles = std::move(again);
  }
  CHECK(handles.empty());
  CHECK(live_cluster::wait_until(all_asleep, 60s));
}

} // namespace caucus::testing
