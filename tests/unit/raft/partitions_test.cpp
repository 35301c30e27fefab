#include "tests/support/core_cluster.hpp"

#include <doctest/doctest.h>

using namespace caucus;
using namespace caucus::test;

namespace {

void cut_both(core_cluster& x, uint64_t a, uint64_t b) {
  x.cut(a, b);
  x.cut(b, a);
}

} // namespace

TEST_SUITE("raft/core: partitions") {
  TEST_CASE("a fresh group elects a leader and stays with it") {
    auto x = cluster_of(5);
    REQUIRE(x.tick_until_leader(100));
    const auto before = x.status(x.leader());
    pass_time(x, 500);
    CHECK(x.leader() == before.self.value());
    CHECK(x.status(x.leader()).term == before.term);
  }

  TEST_CASE("S-11 partially connected voters leave a leader with a majority alone") {
    // 1, 2 and 3 see each other; 4 sees only 2, and 5 only 3.
    auto x = cluster_of(5);
    x.elect(3);
    cut_both(x, 4, 1), cut_both(x, 4, 3), cut_both(x, 4, 5);
    cut_both(x, 5, 1), cut_both(x, 5, 2);
    pass_time(x, 40);
    REQUIRE(x.leader() != 0);
    const auto before = x.status(x.leader());
    pass_time(x, 400);
    CHECK(x.leader() == before.self.value());
    CHECK(x.status(x.leader()).term == before.term);
    const auto request = x.propose(x.leader());
    x.settle();
    CHECK(x.is_committed(request));
  }

  TEST_CASE("L-03 a node that hears nobody disturbs nobody, then and when it returns") {
    auto x = cluster_of(3);
    x.elect(1);
    const auto term = x.status(1).term;
    x.cut(1, 3);
    x.cut(2, 3);
    pass_time(x, 200);
    CHECK(x.status(3).term == term);
    x.heal();
    pass_time(x, 5);
    CHECK(x.leader() == 1);
    CHECK(x.status(1).term == term);
    CHECK(x.status(3).leader == node_id{1});
  }

  TEST_CASE("L-04 a leader that nobody hears is replaced, one that hears nobody steps down") {
    auto x = cluster_of(3);
    x.elect(1);
    SUBCASE("mute") {
      x.cut(1, 2);
      x.cut(1, 3);
    }
    SUBCASE("deaf") {
      x.cut(2, 1);
      x.cut(3, 1);
    }
    pass_time(x, 60);
    const auto leader = x.leader();
    CHECK(leader != 1);
    CHECK(leader != 0);
    CHECK(x.status(1).role != raft::role::leader);
  }

  TEST_CASE("S-08 a voter that lags behind in its term helps to elect a leader") {
    auto x = cluster_of(3);
    x.elect(1);
    x.isolate(3);
    for (uint64_t i = 0, from = 1; i < 5; ++i, from = 3 - from) { // Terms pass it by.
      x.step(3 - from, raft::received{node_id{from}, raft::timeout_now{x.status(from).term}});
      x.settle();
      REQUIRE(x.leader() == 3 - from);
    }
    REQUIRE(x.status(3).term < x.status(1).term);
    x.heal();
    x.crash(x.leader());
    REQUIRE_FALSE(x.is_up(2));
    REQUIRE(x.tick_until_leader(60));
    CHECK(x.leader() == 1); // The other's log is shorter.
  }

  TEST_CASE("a survivor leads within 1.6 timeouts of the leader's death in the median") {
    std::vector<uint32_t> ticks;
    for (uint64_t seed = 1; seed <= 101; ++seed) {
      core_cluster x{core_cluster::options{.seed = seed}};
      x.elect(1 + seed % 3);
      pass_time(x, 3);
      x.crash(x.leader());
      ticks.push_back(0);
      for (; x.leader() == 0 && ticks.back() < 200; ++ticks.back())
        pass_time(x, 1);
    }
    std::sort(ticks.begin(), ticks.end());
    CHECK(ticks[50] <= 16);
    CHECK(ticks.back() <= 40);
  }

  TEST_CASE("all restarted at once keep what was acknowledged") {
    auto x = cluster_of(3);
    x.elect(1);
    std::vector<uint64_t> requests;
    for (int i = 0; i < 10; ++i)
      requests.push_back(x.propose(1));
    x.settle();
    for (auto id : x.ids())
      x.crash(id);
    for (auto id : x.ids())
      x.restart(id);
    REQUIRE(x.tick_until_leader(60));
    pass_time(x, 2);
    for (auto id : x.ids())
      CHECK(x.applied(id).size() == 12); // Both terms' no-ops.
    x.check_at_end();
  }
}
