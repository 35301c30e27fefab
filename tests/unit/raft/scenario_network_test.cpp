// Hazards of RELIABILITY section 2.5 and of clocks (2.7): partitions, loss, pauses, each by its id.

#include "tests/support/core_cluster.hpp"
#include "tests/support/lone_core.hpp"

using namespace caucus;
using namespace caucus::test;
using namespace caucus::raft;

namespace {

/// Only those that share one of the sets hear each other.
void connect(core_cluster& x, const std::vector<std::set<uint64_t>>& sets) {
  x.heal();
  for (auto from : x.ids())
    for (auto to : x.ids())
      if (std::none_of(sets.begin(), sets.end(),
                       [&](const auto& set) { return set.contains(from) && set.contains(to); }))
        x.cut(from, to);
}

void check_all_equal(core_cluster& x) {
  for (auto id : x.ids()) {
    CHECK(x.log_terms(id) == x.log_terms(x.leader()));
    CHECK(x.applied(id).size() == x.applied(x.leader()).size());
  }
  x.check_at_end();
}

} // namespace

TEST_SUITE("raft/core: scenarios of the network") {
  TEST_CASE("L-01 L-02 of two sides the majority goes on, the minority acknowledges nothing") {
    auto x = cluster_of(5);
    x.elect(1);
    pass_time(x, 2);
    connect(x, {{1, 2}, {3, 4, 5}});
    const auto lost = x.propose(1);
    pass_time(x, 40);
    CHECK(x.status(1).role != role::leader);
    CHECK(x.leader() >= 3);
    const auto refused = x.propose(1);
    REQUIRE(x.answer_to(refused).has_value());
    CHECK(x.answer_to(refused)->refused == errc::no_leader);
    const auto kept = x.propose(x.leader());
    x.settle();
    CHECK(x.is_committed(kept));
    x.heal();
    pass_time(x, 30);
    CHECK_FALSE(x.is_committed(lost));
    check_all_equal(x);
  }

  TEST_CASE("L-02 of two halves neither leads, and healed they elect at once") {
    auto x = cluster_of(4);
    x.elect(1);
    connect(x, {{1, 2}, {3, 4}});
    pass_time(x, 100);
    CHECK(x.leader() == 0);
    for (auto id : x.ids())
      CHECK(x.status(id).term == term_t{1}); // Nobody has campaigned in vain.
    x.heal();
    REQUIRE(x.tick_until_leader(40));
    pass_time(x, 3);
    check_all_equal(x);
  }

  TEST_CASE("L-05 a bridge, a ring and a star have a leader that stays") {
    std::vector<std::set<uint64_t>> links;
    SUBCASE("two halves with one node in common") { links = {{1, 2, 3}, {3, 4, 5}}; }
    SUBCASE("each hears its neighbours") { links = {{1, 2}, {2, 3}, {3, 4}, {4, 5}, {5, 1}}; }
    SUBCASE("overlapping majorities") { links = {{1, 2, 3}, {2, 3, 4}, {3, 4, 5}, {4, 5, 1}}; }
    SUBCASE("one hears all, nobody else anybody") { links = {{3, 1}, {3, 2}, {3, 4}, {3, 5}}; }
    auto x = cluster_of(5);
    x.elect(1);
    connect(x, links);
    pass_time(x, 200);
    const auto leader = x.leader();
    REQUIRE(leader != 0);
    const auto term = x.status(leader).term;
    pass_time(x, 400);
    CHECK(x.leader() == leader);
    CHECK(x.status(leader).term == term);
    const auto request = x.propose(leader);
    pass_time(x, 2);
    CHECK(x.is_committed(request));
    x.heal();
    pass_time(x, 30);
    check_all_equal(x);
  }

  TEST_CASE("L-06 with 30 % lost, 50 % doubled and all out of order commands still commit") {
    auto x = cluster_of(5);
    x.elect(1);
    rng dice{6};
    uint64_t committed = 0;
    for (int tick = 0; tick < 400; ++tick) {
      x.tick_all();
      const auto request = x.leader() == 0 ? 0 : x.propose(x.leader());
      for (auto packets = 3 * x.wire.size(); packets > 0 && !x.wire.empty(); --packets) {
        const auto position = dice.below(x.wire.size());
        if (dice.chance(50))
          x.wire.push_back(x.wire[position]);
        if (dice.chance(30))
          x.drop(position);
        else
          x.deliver(position);
        const auto id = x.ids()[dice.below(x.ids().size())];
        x.sync(id);
        x.apply(id);
      }
      committed += request != 0 && x.is_committed(request) ? 1 : 0;
    }
    CHECK(committed >= 100);
    CHECK(x.status(x.leader()).commit >= index_t{300});
    CHECK(x.status(x.leader()).term <= term_t{10});
    x.settle();
    pass_time(x, 30);
    check_all_equal(x);
  }

  TEST_CASE("C-02 clocks that drift as far as was said leave a lease safe") {
    constexpr int64_t ms = 1'000'000;
    core_options options{.lease = true, .tick_ns = 100 * ms, .clock_drift_max_ns = 200 * ms};
    lone_core slow{{.options = options}}; // It counts 0.9 s a second, its voter 1.1.
    slow.lead();
    slow.sync();
    slow.receive(2, append_reply{.term = term_t{1}, .accepted = true, .match = index_t{1}});
    lone_core fast{{.self = 2, .options = options}};
    fast.receive(1, heartbeat{.term = term_t{1}});
    fast.sync();
    const auto round = slow.tick();
    REQUIRE_FALSE(round.heartbeats.empty());
    const auto context = round.heartbeats[0].context;
    REQUIRE_FALSE(fast.receive(1, heartbeat{term_t{1}, {}, context}).heartbeat_replies.empty());
    slow.receive(2, heartbeat_reply{term_t{1}, context, 1000 * ms});
    const request_vote ask{.term = term_t{2}, .last = at(9, 1), .is_transfer = false};
    int64_t last_answer = 0;
    int64_t first_vote = 0;
    for (int64_t now = 10 * ms; first_vote == 0 && now < 3000 * ms; now += 10 * ms) {
      slow.now.mono_ns = now * 9 / 10;
      fast.now.mono_ns = now * 11 / 10;
      if (now % (50 * ms) == 0)
        fast.tick(); // So that it's not loyalty that keeps it still.
      auto out = slow.step(raft::read{request_id{1}, consistency::lease});
      if (!out.reads_ready.empty())
        last_answer = now;
      fast.receive(3, ask);
      if (fast.status().voted_for == node_id{3})
        first_vote = now;
    }
    CHECK(last_answer > 700 * ms);
    CHECK(first_vote > last_answer);
    CHECK(first_vote < 1000 * ms);
  }

  TEST_CASE("C-03 a leader that was paused while others went on answers nothing of its own") {
    core_cluster x;
    x.elect(1);
    const auto before = x.propose(1);
    pass_time(x, 2);
    x.isolate(1); // Stopped: no ticks, no messages.
    x.elect(2);
    const auto meanwhile = x.propose(2);
    x.settle();
    REQUIRE(x.status(1).role == role::leader); // So it believes.
    x.heal();
    const auto read = x.read(1);
    const auto late = x.propose(1);
    pass_time(x, 5);
    CHECK_FALSE(x.read_at(read).has_value());
    CHECK_FALSE(x.is_committed(late));
    CHECK(x.is_committed(before));
    CHECK(x.is_committed(meanwhile));
    CHECK(x.status(1).leader == node_id{2});
    check_all_equal(x);
  }
}
