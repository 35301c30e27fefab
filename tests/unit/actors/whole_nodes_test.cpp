#include "tests/support/virtual_cluster.hpp"

#include <doctest/doctest.h>

namespace caucus::testing {

namespace {

uint64_t elect_commit_lose_recover(uint64_t seed) {
  virtual_cluster cluster{{.nodes = 3, .seed = seed}};
  cluster.start_all();
  REQUIRE(cluster.run_until([&] { return cluster.leader() != 0; }));
  auto first = cluster.leader();

  recording_client client{cluster.system()};
  for (int i = 0; i < 1000; ++i)
    client.propose(cluster.group(1 + static_cast<uint64_t>(i) % 3), "x" + std::to_string(i));
  REQUIRE(cluster.run_until([&] { return client.answered() == 1000; }));
  CHECK(client.committed() == 1000);

  cluster.crash(first);
  REQUIRE(cluster.run_until([&] { return cluster.leader() != 0; }));
  CHECK(cluster.leader() != first);
  auto survivor = cluster.leader();
  auto after = client.propose(cluster.group(survivor), "after");
  REQUIRE(cluster.run_until([&] { return client.at(after).has_value(); }));
  CHECK(client.at(after)->reply.view() == "1001");

  REQUIRE(cluster.start(first).ok());
  REQUIRE(cluster.run_until([&] { return cluster.status(first).machine == "{\"count\":1001}"; }));
  CHECK(cluster.status(first).digest == cluster.status(survivor).digest);
  return cluster.trace_hash();
}

} // namespace

TEST_CASE("three whole nodes elect, commit 1000, lose their leader and recover") {
  elect_commit_lose_recover(1);
}

TEST_CASE("the same seed gives the same run of whole nodes, another seed another") {
  auto first = elect_commit_lose_recover(7);
  CHECK(elect_commit_lose_recover(7) == first);
  CHECK(elect_commit_lose_recover(8) != first);
}

} // namespace caucus::testing
