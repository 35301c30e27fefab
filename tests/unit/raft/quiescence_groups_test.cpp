// Whole groups with nothing to do sleep, and wake together (REQUIREMENTS B7).

#include "tests/support/changing_cluster.hpp"
#include "tests/support/sleepy.hpp"

#include <algorithm>

using namespace caucus;
using namespace caucus::test;
using raft::role;

namespace {

core_cluster sleepy_group(std::vector<uint64_t> spares = {}, std::vector<uint64_t> learners = {}) {
  return group_of({1, 2, 3}, std::move(spares), std::move(learners), sleepy());
}

bool is_asleep(const core_cluster& x, std::vector<uint64_t> ids) {
  return std::all_of(ids.begin(), ids.end(), [&](uint64_t id) { return x.status(id).is_asleep; });
}

core_cluster sleeping_group() {
  auto x = sleepy_group();
  pass_time(x, patience + 2);
  REQUIRE(is_asleep(x, {1, 2, 3}));
  return x;
}

} // namespace

TEST_SUITE("raft/core: sleeping groups") {
  TEST_CASE("an idle group falls asleep and says nothing more") {
    auto x = sleeping_group();
    const auto before = x.status(1);
    x.tick_all(1000);
    CHECK(x.wire.empty());
    CHECK(is_asleep(x, {1, 2, 3}));
    for (uint64_t id : {1, 2, 3}) {
      CHECK(x.status(id).leader == node_id{1});
      CHECK(x.status(id).term == before.term);
      CHECK(x.status(id).commit == before.last);
    }
  }

  TEST_CASE("without the option nobody sleeps") {
    auto x = group_of({1, 2, 3});
    pass_time(x, 100);
    CHECK_FALSE(x.status(1).is_asleep);
    x.tick(1);
    CHECK_FALSE(x.wire.empty());
  }

  TEST_CASE("whatever is asked of anybody wakes all who are needed") {
    for (uint64_t asked : {1, 2}) {
      auto x = sleeping_group();
      uint64_t request = 0;
      SUBCASE("a command") {
        request = x.propose(asked);
        x.settle();
        CHECK(x.is_committed(request));
      }
      SUBCASE("a read") {
        request = x.read(asked);
        x.settle();
        CHECK(x.read_at(request).has_value());
      }
      SUBCASE("a change") {
        request = x.change(asked, only(kind::remove, 3));
        x.settle();
        CHECK(refusal(x, request) == errc::none);
        check_members(x, 1, {1, 2});
      }
      CHECK_FALSE(x.status(1).is_asleep);
      pass_time(x, patience + 3);
      CHECK(is_asleep(x, {1, 2})); // And then they sleep again.
    }
  }

  TEST_CASE("a stale read and what our own disk and machine do wake nobody") {
    auto x = sleeping_group();
    x.read(2, raft::consistency::stale);
    x.compact(2);
    x.sync(2), x.apply(2);
    CHECK(x.status(2).is_asleep);
    CHECK(x.wire.empty());
  }

  TEST_CASE("it stays awake for a member that is silent, is to be promoted, or leaves") {
    auto x = sleepy_group({4});
    SUBCASE("silent") { x.crash(3); }
    SUBCASE("to be promoted") {
      x.change(1, only(kind::make_staging, 4));
      x.hold = [](const auto& p) { return p.to == 4; };
      x.settle();
    }
    SUBCASE("not told yet that it is removed") {
      x.isolate(3);
      x.change(1, only(kind::remove, 3));
      x.settle();
      pass_time(x, 5);
      CHECK_FALSE(x.status(1).is_asleep);
      return;
    }
    // Those that were heard a moment ago count for two rounds.
    pass_time(x, 25);
    CHECK_FALSE(x.status(1).is_asleep);
    pass_time(x, 25);
    CHECK_FALSE(x.status(1).is_asleep);
    CHECK(x.status(1).role == role::leader);
  }

  TEST_CASE("a link that failed and works again keeps nobody awake") {
    auto x = sleeping_group();
    x.step(1, raft::peer_unreachable{node_id{3}});
    CHECK_FALSE(is_asleep(x, {1}));
    pass_time(x, patience + 5);
    CHECK(is_asleep(x, {1, 2, 3}));
  }

  TEST_CASE("the death of a sleeping leader's node costs an election, not more") {
    auto x = sleeping_group();
    x.crash(1);
    x.tick_all(3);
    CHECK_FALSE(is_asleep(x, {2})); // The cluster tells those that sleep.
    CHECK_FALSE(is_asleep(x, {3}));
    REQUIRE(x.tick_until_leader(60));
    const auto request = x.propose(x.leader());
    x.settle();
    CHECK(x.is_committed(request));
  }

  TEST_CASE("a sleeping leader that was replaced meanwhile answers no read and learns of it") {
    auto x = sleeping_group();
    x.isolate(1);
    x.step(2, raft::peer_unreachable{node_id{1}});
    x.step(3, raft::peer_unreachable{node_id{1}});
    for (int i = 0; i < 60; ++i) {
      x.tick(2), x.tick(3);
      x.settle();
    }
    REQUIRE(x.leader() != 1);
    CHECK(x.status(1).is_asleep); // Nobody told its shell.
    const auto read = x.read(1);
    x.settle();
    CHECK_FALSE(x.read_at(read).has_value());
    x.heal();
    pass_time(x, 5);
    CHECK(x.status(1).role == role::follower);
    CHECK(x.status(1).leader.value() == x.leader());
  }

  TEST_CASE("a lost word wakes the leader again, and nobody is deposed") {
    for (uint64_t deaf : {3, 4}) { // A voter, a learner.
      CAPTURE(deaf);
      auto x = sleepy_group({}, {4});
      x.hold = [deaf](const auto& p) {
        return p.to == deaf && std::holds_alternative<raft::quiesce>(p.body);
      };
      pass_time(x, patience + 1);
      CHECK(x.status(1).is_asleep);
      CHECK_FALSE(x.status(deaf).is_asleep);
      x.hold = nullptr;
      x.held.clear();
      const auto term = x.status(1).term;
      pass_time(x, 30);
      CHECK(x.status(1).term == term);
      CHECK(is_asleep(x, {1, 2, 3, 4}));
      CHECK(x.status(deaf).leader == node_id{1});
    }
  }

  TEST_CASE("who restarts while the group sleeps finds its leader, also if it never campaigns") {
    for (uint64_t id : {3, 4}) {
      auto x = sleepy_group({}, {4});
      pass_time(x, patience + 2);
      REQUIRE(is_asleep(x, {1, 2, 3, 4}));
      const auto term = x.status(1).term;
      x.crash(id);
      x.restart(id);
      pass_time(x, 40);
      CHECK(x.status(id).leader == node_id{1});
      CHECK(x.status(1).term == term);
      CHECK(is_asleep(x, {1, 2, 3, 4}));
    }
  }

  TEST_CASE("a sole voter sleeps, too") {
    auto x = group_of({1}, {}, {}, sleepy());
    pass_time(x, patience + 1);
    CHECK(x.status(1).is_asleep);
    const auto request = x.propose(1);
    x.settle();
    CHECK(x.is_committed(request));
  }

  TEST_CASE("a lease doesn't outlive its time because its leader sleeps") {
    auto how = sleepy();
    how.lease = true;
    how.tick_ns = 1000;
    how.clock_drift_max_ns = 0;
    auto x = group_of({1, 2, 3}, {}, {}, how);
    pass_time(x, patience + 3);
    REQUIRE(is_asleep(x, {1, 2, 3}));
    x.tick_all(40); // Only the clock moves.
    REQUIRE(x.status(1).is_asleep);
    const auto read = x.read(1, raft::consistency::lease);
    CHECK_FALSE(x.read_at(read).has_value());
    x.settle();
    CHECK(x.read_at(read).has_value()); // By a round.
  }
}
