// Queries through whole nodes: answered by the asked node's machine, without the log.

#include "tests/support/elected_cluster.hpp"

namespace caucus::testing {

namespace {

using namespace std::chrono_literals;

query asking(freshness how, std::string_view question = "count") {
  return {.how = how, .payload = shared_bytes::copy_of(question)};
}

} // namespace

TEST_CASE("a query is answered by every node with all that was acknowledged before") {
  elected_cluster cluster{{.adjust = [](node_options& x) { x.lease = true; }}};
  recording_client client{cluster.system()};
  uint64_t count = 0;
  for (auto how : {freshness::linearizable, freshness::lease})
    for (uint64_t id = 1; id <= 3; ++id) {
      cluster.wait_for(client, client.propose(cluster.group(cluster.leader()), "x"));
      ++count;
      auto told = cluster.wait_for(client, client.request(cluster.group(id), asking(how)));
      CHECK(told.kind == outcome_kind::committed);
      CHECK(told.reply.view() == std::to_string(count));
    }
}

TEST_CASE("a query adds nothing to the log") {
  elected_cluster cluster;
  recording_client client{cluster.system()};
  cluster.wait_for(client, client.propose(cluster.group(1), "x"));
  cluster.advance(1s);
  auto before = cluster.status(cluster.leader()).last;
  for (uint64_t id = 1; id <= 3; ++id)
    cluster.wait_for(client, client.request(cluster.group(id), asking(freshness::linearizable)));
  CHECK(cluster.status(cluster.leader()).last == before);
}

TEST_CASE("a leader that hears of no majority answers no linearizable query, but a stale one") {
  elected_cluster cluster;
  auto leader = cluster.leader();
  recording_client client{cluster.system()};
  cluster.wait_for(client, client.propose(cluster.group(leader), "x"));
  for (uint64_t id = 1; id <= 3; ++id)
    if (id != leader)
      cluster.crash(id);
  auto fresh = cluster.wait_for(
    client, client.request(cluster.group(leader), asking(freshness::linearizable)));
  CHECK(fresh.kind != outcome_kind::committed);
  auto stale =
    cluster.wait_for(client, client.request(cluster.group(leader), asking(freshness::stale)));
  CHECK(stale.kind == outcome_kind::committed);
  CHECK(stale.reply.view() == "1");
}

TEST_CASE("a query that the machine can't answer concerns its asker alone") {
  elected_cluster cluster;
  recording_client client{cluster.system()};
  auto told =
    cluster.wait_for(client, client.request(cluster.group(1), asking(freshness::stale, "throw")));
  CHECK(told.kind == outcome_kind::not_executed);
  CHECK(told.reason == errc::rejected_by_machine);
  CHECK(told.detail.find("told to throw") != std::string::npos);
  CHECK(cluster.wait_for(client, client.propose(cluster.group(1), "x")).kind
        == outcome_kind::committed);
}

} // namespace caucus::testing
