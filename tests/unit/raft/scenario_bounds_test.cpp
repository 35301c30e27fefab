// What has no hazard's name and must hold all the same: bounds, order, and whom a leader tells.

#include "tests/support/changing_cluster.hpp"

using namespace caucus;
using namespace caucus::test;
using namespace caucus::raft;

namespace {

constexpr int64_t ms = 1'000'000;

append_reply accepted(uint64_t match) {
  return {.term = term_t{1}, .accepted = true, .match = index_t{match}, .priority = priority_max};
}

/// Leader of term 1; both peers have its no-op.
lone_core leader(core_options options = {}) {
  lone_core x{{.options = options}};
  x.lead();
  x.sync();
  x.receive(2, accepted(1));
  x.receive(3, accepted(1));
  return x;
}

entry_ptr written_at(uint64_t index, uint64_t term, int64_t wall_ns) {
  auto made = std::make_shared<entry>(*make_entry(index, term));
  made->wall_ns = wall_ns;
  return made;
}

} // namespace

TEST_SUITE("raft/core: bounds and order") {
  TEST_CASE("log time goes on after what was followed, or came as a snapshot") {
    lone_core x{{}};
    SUBCASE("entries") {
      x.receive(2, append_entries{term_t{1}, {}, {}, {written_at(1, 1, 9'000)}});
    }
    SUBCASE("a snapshot") {
      auto members = std::make_shared<membership::configuration>();
      members->voters = node_set({1, 2, 3});
      x.step(snapshot_installed{.at = {at(1, 1), {index_t{}, members}}, .wall_ns = 9'000});
    }
    x.sync();
    REQUIRE(x.now.wall_ns < 9'000);
    const auto out = x.lead();
    REQUIRE(out.persist.has_value());
    CHECK(out.persist->entries.at(0)->wall_ns == 9'001);
  }

  TEST_CASE("callers that wait for one transfer are bounded") {
    auto x = leader();
    x.propose(1, "a"); // 3 lags, so it takes a while.
    for (uint64_t request = 2; request < 66; ++request)
      CHECK(x.step(transfer{request_id{request}, node_id{3}}).refused.empty());
    const auto out = x.step(transfer{request_id{66}, node_id{3}});
    REQUIRE(out.refused.size() == 1);
    CHECK(out.refused[0].reason == errc::proposal_dropped);
  }

  TEST_CASE("the best target was heard lately, however long another's log is") {
    auto x = leader();
    x.propose(1, "a");
    x.sync();
    x.receive(3, accepted(2)); // Its last words.
    for (int i = 0; i < 25; ++i) {
      x.receive(2, heartbeat_reply{.term = term_t{1}});
      x.tick();
    }
    CHECK(sent<timeout_now>(x.step(transfer{request_id{2}, node_id{}})).empty());
    const auto told = sent<timeout_now>(x.receive(2, accepted(2)));
    REQUIRE(told.size() == 1);
    CHECK(told[0].first == 2);
  }

  TEST_CASE("a leader takes proposals while the one of higher priority still lags") {
    auto x = leader({.priority = 50});
    auto behind = accepted(1);
    auto even = accepted(2);
    even.priority = 50;
    x.propose(1, "a");
    x.sync();
    x.receive(2, even);
    x.receive(3, behind);
    REQUIRE(x.status().commit == index_t{2});
    x.tick();
    CHECK(x.propose(2, "b").accepted.size() == 1);
  }

  TEST_CASE("a leaving member isn't given up while its removal is uncommitted") {
    auto x = leader();
    x.propose_change(1, only(kind::remove, 3));
    x.sync();
    for (int i = 0; i < 100; ++i) { // 2 answers, but has no room on its disk.
      x.receive(2, heartbeat_reply{.term = term_t{1}});
      x.tick();
    }
    REQUIRE(x.status().role == role::leader);
    REQUIRE(x.status().commit == index_t{1});
    CHECK(x.status().peers.size() == 2);
  }

  TEST_CASE("a change that expects an older configuration is refused") {
    auto x = leader();
    x.propose_change(1, only(kind::make_learner, 4));
    x.sync();
    x.receive(2, accepted(2));
    REQUIRE(x.status().commit == index_t{2});
    x.propose_change(2, only(kind::make_learner, 5));
    x.sync();
    x.receive(2, accepted(3));
    auto asked = only(kind::remove, 4);
    asked.expected_id = index_t{2};
    const auto out = x.propose_change(3, asked);
    REQUIRE(out.refused.size() == 1);
    CHECK(out.refused[0].reason == errc::configuration_mismatch);
  }

  TEST_CASE("an answer of an older leadership of the same node gives a proposal no place") {
    lone_core x{{}};
    x.receive(2, heartbeat{.term = term_t{1}});
    x.sync();
    x.propose(7, "a");
    REQUIRE(x.status().forwarded == 1);
    // 2 leads again; what it answered in term 1 comes late, to the number of another proposal.
    x.receive(2, heartbeat{.term = term_t{2}});
    x.sync();
    x.propose(7, "b");
    const auto out = x.receive(2, forward_reply{.request = request_id{7}, .accepted = at(5, 1)});
    CHECK(out.accepted.empty());
    CHECK(x.status().forwarded == 1);
    CHECK(x.status().noise.stale_reply == 1);
  }

  TEST_CASE("a lease that the old voters gave doesn't hold with new ones") {
    core_options options{.lease = true, .tick_ns = 100 * ms, .clock_drift_max_ns = 200 * ms};
    auto x = leader(options);
    auto round = x.tick();
    REQUIRE_FALSE(round.heartbeats.empty());
    x.receive(2, heartbeat_reply{term_t{1}, round.heartbeats[0].context, 1000 * ms});
    REQUIRE(x.step(raft::read{request_id{1}, consistency::lease}).reads_ready.size() == 1);
    x.propose_change(2, only(kind::make_voter, 4));
    CHECK(x.step(raft::read{request_id{3}, consistency::lease}).reads_ready.empty());
  }
}
