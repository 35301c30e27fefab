// Groups that sleep, as whole nodes (the core's part: tests/unit/raft/quiescence_test.cpp).

#include "tests/support/virtual_cluster.hpp"

#include <doctest/doctest.h>

namespace caucus::testing {

namespace {

using namespace std::chrono_literals;

/// Nothing gets through any more, or all again, and nobody is told.
void silence_all(virtual_cluster& cluster, bool is_silent) {
  for (uint64_t from = 1; from <= 3; ++from)
    for (uint64_t to = 1; to <= 3; ++to)
      if (is_silent)
        cluster.network().silence(node_id{from}, node_id{to});
      else
        cluster.network().unsilence(node_id{from}, node_id{to});
}

/// Three nodes whose group has executed a command and has had nothing to do for a while.
struct idle_cluster : virtual_cluster {
  explicit idle_cluster(options how) : virtual_cluster{std::move(how)}, client{system()} {
    start_all();
    REQUIRE(run_until([&] { return leader() != 0; }));
    const auto first = client.propose(group(leader()), "one");
    REQUIRE(run_until([&] { return client.at(first).has_value(); }));
    CHECK(client.at(first)->kind == outcome_kind::committed);
    advance(3s);
  }

  recording_client client;
};

} // namespace

TEST_CASE("an idle group needs no word from its leader, and answers at once when asked") {
  idle_cluster cluster{{.seed = 3}};
  const auto leader = cluster.leader();
  const auto term = cluster.status(leader).term;
  silence_all(cluster, true);
  cluster.advance(10s);
  for (uint64_t id = 1; id <= 3; ++id) {
    CHECK(cluster.status(id).leader == leader);
    CHECK(cluster.status(id).term == term);
  }
  silence_all(cluster, false);
  const auto follower = leader % 3 + 1;
  const auto next = cluster.client.propose(cluster.group(follower), "two");
  CHECK(cluster.run_until([&] { return cluster.client.at(next).has_value(); }, 100ms));
  CHECK(cluster.client.at(next)->reply.view() == "2");
  CHECK(cluster.status(follower).term == term);
}

TEST_CASE("with quiesce-ticks 0, or without pre-vote, no group sleeps") {
  SUBCASE("0") {
    idle_cluster cluster{{.seed = 3, .adjust = [](node_options& x) { x.quiesce_ticks = 0; }}};
    const auto leader = cluster.leader();
    silence_all(cluster, true);
    cluster.advance(3s);
    CHECK(cluster.status(leader).leader == 0);
  }
  SUBCASE("without pre-vote") {
    idle_cluster cluster{{.seed = 3, .adjust = [](node_options& x) { x.pre_vote = false; }}};
    const auto leader = cluster.leader();
    silence_all(cluster, true);
    cluster.advance(3s);
    CHECK(cluster.status(leader).leader == 0);
  }
}

TEST_CASE("a group that sleeps elects another when its leader's node is gone") {
  idle_cluster cluster{{.seed = 4}};
  const auto first = cluster.leader();
  cluster.crash(first);
  REQUIRE(cluster.run_until([&] { return cluster.leader() != 0; }, 5s));
  CHECK(cluster.leader() != first);
}

TEST_CASE("a leader that sleeps wakes for a peer that is gone, and sleeps again once it is back") {
  idle_cluster cluster{{.seed = 5}};
  const auto leader = cluster.leader();
  const auto term = cluster.status(leader).term;
  const auto away = leader % 3 + 1;
  cluster.crash(away);
  cluster.advance(3s);
  REQUIRE(cluster.start(away).ok());
  REQUIRE(cluster.run_until([&] { return cluster.status(away).machine == "{\"count\":1}"; }, 5s));
  cluster.advance(3s);
  silence_all(cluster, true);
  cluster.advance(5s);
  CHECK(cluster.status(leader).leader == leader);
  CHECK(cluster.status(away).leader == leader);
  CHECK(cluster.status(leader).term == term);
}

} // namespace caucus::testing
