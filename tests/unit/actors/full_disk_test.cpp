// Whole nodes on disks that fill up and have room again (RELIABILITY E-05, O-04).

#include "tests/support/elected_cluster.hpp"

#include <doctest/doctest.h>

namespace caucus::testing {

namespace {

/// Small segments, so that a full disk is noticed after few commands.
struct filling_cluster : elected_cluster {
  explicit filling_cluster(uint64_t nodes = 3)
    : elected_cluster{{.nodes = nodes, .adjust = [](node_options& x) {
                         x.segment_bytes = 64 << 10;
                         x.snapshot_log_bytes = 1 << 30;
                       }}} {}

  void fill(uint64_t id) {
    disk(id).on_call([](const disk_call& call) -> std::optional<error> {
      if (call.kind != disk_call::kind::allocate)
        return std::nullopt;
      return error{errc::no_space, "cannot allocate memory/" + std::string{call.name}};
    });
  }
  void empty(uint64_t id) { disk(id).on_call({}); }

  outcome propose(uint64_t id) {
    auto told = wait_for(client, client.propose(group(id), std::string(4000, 'x')));
    committed += told.kind == outcome_kind::committed ? 1 : 0;
    unknown += told.kind == outcome_kind::unknown ? 1 : 0;
    return told;
  }
  uint64_t count(uint64_t id) {
    const auto told = wait_for(client, client.request(group(id), query{.how = freshness::stale}));
    REQUIRE(told.kind == outcome_kind::committed);
    return std::stoull(std::string{told.reply.view()});
  }
  bool is_full(uint64_t id) { return !health(id).trouble.empty(); }

  recording_client client{system()};
  uint64_t committed = 0;
  uint64_t unknown = 0;
};

} // namespace

TEST_CASE("E-05 a leader whose disk is full gives way, says so, and takes part again by itself") {
  filling_cluster cluster;
  const auto full = cluster.leader();
  cluster.fill(full);
  for (int i = 0; i < 100 && !cluster.is_full(full); ++i)
    cluster.propose(full);
  REQUIRE(cluster.is_full(full));
  CHECK(cluster.health(full).healthy);
  CHECK(cluster.health(full).trouble.find("memory/") != std::string::npos);
  CHECK(cluster.log(full).count("event=disk_full") == 1);
  REQUIRE(cluster.run_until([&] { return cluster.leader() != 0 && cluster.leader() != full; }));
  for (int i = 0; i < 40; ++i)
    CHECK(cluster.propose(cluster.leader()).kind == outcome_kind::committed);
  const auto refused = cluster.propose(full); // It would never learn its fate.
  CHECK(refused.kind == outcome_kind::not_executed);
  CHECK(refused.reason == errc::storage_full);
  CHECK(cluster.status(full).fault.empty());
  CHECK(cluster.unknown == 0);
  cluster.empty(full);
  REQUIRE(cluster.run_until([&] { return cluster.count(full) == cluster.committed; }));
  CHECK_FALSE(cluster.is_full(full));
  CHECK(cluster.log(full).count("event=disk_has_room") == 1);
  CHECK(cluster.propose(full).kind == outcome_kind::committed);
}

TEST_CASE("E-05 where all disks are full nothing is taken, nothing is lost, and reads go on") {
  filling_cluster cluster;
  for (uint64_t id = 1; id <= 3; ++id)
    cluster.fill(id);
  const auto are_full = [&] {
    return cluster.is_full(1) && cluster.is_full(2) && cluster.is_full(3);
  };
  for (int i = 0; i < 200 && !are_full(); ++i)
    cluster.propose(1 + static_cast<uint64_t>(i) % 3);
  REQUIRE(are_full());
  REQUIRE(cluster.run_until([&] { return cluster.leader() == 0; })); // All groups know.
  const auto before = cluster.committed;
  for (int i = 0; i < 30; ++i)
    CHECK(cluster.propose(1 + static_cast<uint64_t>(i) % 3).kind == outcome_kind::not_executed);
  CHECK(cluster.committed == before);
  for (uint64_t id = 1; id <= 3; ++id) {
    CHECK(cluster.count(id) <= cluster.committed + cluster.unknown);
    CHECK(cluster.status(id).fault.empty());
  }
  for (uint64_t id = 1; id <= 3; ++id)
    cluster.empty(id);
  REQUIRE(cluster.run_until([&] { return cluster.leader() != 0; }));
  REQUIRE(cluster.propose(cluster.leader()).kind == outcome_kind::committed);
  const auto counted = cluster.count(cluster.leader());
  CHECK(counted >= cluster.committed);
  CHECK(counted <= cluster.committed + cluster.unknown);
  for (uint64_t id = 1; id <= 3; ++id)
    REQUIRE(cluster.run_until([&] { return cluster.count(id) == counted; }));
}

TEST_CASE("E-05 a node of one refuses with storage_full and goes on once it has room") {
  filling_cluster cluster{1};
  cluster.fill(1);
  for (int i = 0; i < 100 && !cluster.is_full(1); ++i)
    cluster.propose(1);
  REQUIRE(cluster.is_full(1));
  REQUIRE(cluster.run_until([&] { return cluster.leader() == 0; }));
  const auto told = cluster.propose(1);
  CHECK(told.kind == outcome_kind::not_executed);
  CHECK(told.reason == errc::storage_full);
  cluster.empty(1);
  REQUIRE(cluster.run_until([&] { return cluster.leader() == 1; }));
  CHECK(cluster.propose(1).kind == outcome_kind::committed);
  CHECK(cluster.count(1) == cluster.committed);
}

} // namespace caucus::testing
