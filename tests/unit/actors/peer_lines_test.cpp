// What a node says about its peers: each change once, then a reminder a minute, whatever they do.

#include "tests/support/elected_cluster.hpp"
#include "transport/memory_transport.hpp"

namespace caucus::testing {

namespace {

using namespace std::chrono_literals;

/// Tries every link again, once a second.
void redial_for(virtual_cluster& cluster, std::chrono::seconds time) {
  for (auto passed = 0s; passed < time; passed += 1s) {
    cluster.network().redial();
    cluster.advance(1s);
  }
}

} // namespace

TEST_CASE("a peer that is refused again and again has one line, then one a minute") {
  elected_cluster cluster;
  auto wiped = cluster.follower();
  auto other = 3 - wiped;
  auto about = "peer=" + std::to_string(wiped) + " ";
  cluster.crash(wiped);
  for (auto& name : cluster.disk(wiped).names())
    cluster.disk(wiped).erase(name);
  cluster.change_directory_of(wiped);
  cluster.settle();
  auto before = cluster.log(other).count(about);
  REQUIRE(cluster.start(wiped).ok());
  redial_for(cluster, 50s);
  CHECK(cluster.log(other).count("event=peer_refused " + about) == 1);
  CHECK(cluster.log(other).count(about) == before + 1);
  redial_for(cluster, 100s);
  CHECK(cluster.log(other).count(about) == before + 3);
}

TEST_CASE("a peer that can't be reached has one line, then one a minute, and one when it is back") {
  elected_cluster cluster;
  cluster.network().cut(node_id{1}, node_id{2});
  redial_for(cluster, 50s);
  CHECK(cluster.log(1).count("event=peer_down peer=2") == 1);
  redial_for(cluster, 60s);
  CHECK(cluster.log(1).count("event=peer_down peer=2") == 2);
  auto ups = cluster.log(1).count("event=peer_up peer=2");
  cluster.network().heal_all();
  cluster.settle();
  CHECK(cluster.log(1).count("event=peer_up peer=2") == ups + 1);
}

TEST_CASE("strangers are told of, but not each time") {
  elected_cluster cluster;
  struct silent_listener final : transport::transport_listener {
    result<void> on_hello(const transport::node_identity&) override { return {}; }
    void on_peer_up(const transport::node_identity&) override {}
    void on_peer_down(node_id, const error&) override {}
    void on_messages(node_id, std::vector<transport::routed_message>) override {}
  } listener;
  auto stranger = cluster.network().make_endpoint();
  transport::node_identity self{hash_cluster_name("caucus"), node_id{9}, directory_id{9},
                                boot_count{1}};
  REQUIRE(stranger->start(self, listener).ok());
  stranger->set_peers({{node_id{1}, {"memory", 1}}});
  redial_for(cluster, 50s);
  CHECK(cluster.log(1).count("event=peer_refused peer=9") == 1);
  CHECK(cluster.log(1).count("peer=9") == 1);
  stranger->stop();
}

TEST_CASE("L-09 frames that are damaged on their way are counted for each peer and told of") {
  elected_cluster cluster;
  CHECK(cluster.node_of(1).context().frame_errors.all().empty());
  cluster.network().set_faults({.corrupt_percent = 100});
  cluster.advance(2s);
  cluster.network().set_faults({});
  auto errors = cluster.node_of(1).context().frame_errors.all();
  CHECK(errors[node_id{2}] + errors[node_id{3}] > 0);
  CHECK(errors.size() <= 2);
  CHECK(cluster.log(1).count("checksum") > 0);
  CHECK(cluster.run_until([&] { return cluster.leader() != 0; }));
}

} // namespace caucus::testing
