// Any actor of a node may die: the node goes out of service loudly and stops cleanly; it never
// hangs, and never acknowledges what isn't durable. The others go on.

#include "tests/support/virtual_cluster.hpp"

#include <doctest/doctest.h>

namespace caucus::testing {

namespace {

template <class Handle>
void check_death(Handle node_context::*victim, const char* name) {
  CAPTURE(name);
  virtual_cluster cluster{{}};
  cluster.start_all();
  REQUIRE(cluster.run_until([&] { return cluster.leader() != 0; }));
  auto leader = cluster.leader();
  auto& context = cluster.node_of(leader).context();
  caf::anon_send_exit(context.*victim, caf::exit_reason::kill);
  cluster.settle();
  CHECK_FALSE(cluster.health(leader).healthy);
  CHECK(cluster.health(leader).reason.find(name) != std::string::npos);

  recording_client client{cluster.system()};
  auto refused = client.propose(cluster.group(leader), "x");
  cluster.settle();
  REQUIRE(client.at(refused).has_value());
  CHECK(client.at(refused)->kind == outcome_kind::not_executed);

  REQUIRE(cluster.run_until([&] { return cluster.leader() != 0 && cluster.leader() != leader; }));
  auto elsewhere = client.propose(cluster.group(cluster.leader()), "y");
  REQUIRE(cluster.run_until([&] { return client.at(elsewhere).has_value(); }));
  CHECK(client.at(elsewhere)->kind == outcome_kind::committed);

  cluster.stop(leader); // Ends, and the directory is free for the next start.
  REQUIRE(cluster.start(leader).ok());
  CHECK(cluster.run_until([&] { return cluster.status(leader).machine == "{\"count\":1}"; }));
}

} // namespace

TEST_CASE("A-02 the death of the WAL writer takes the node out of service, not the cluster") {
  check_death(&node_context::wal, "wal_writer");
}

TEST_CASE("the death of the log reader takes the node out of service, not the cluster") {
  check_death(&node_context::reader, "log_reader");
}

TEST_CASE("A-04 the death of the transport takes the node out of service, not the cluster") {
  check_death(&node_context::sender, "transport");
}

TEST_CASE("the death of the pulse takes the node out of service, not the cluster") {
  check_death(&node_context::pulse, "pulse");
}

} // namespace caucus::testing
