// Who founded a node's cluster is known durably, and two clusters of one name never mix.

#include "tests/support/virtual_cluster.hpp"

#include <doctest/doctest.h>

namespace caucus::testing {

namespace {

const std::set<node_id> founders{node_id{1}, node_id{2}, node_id{3}};

/// Nodes 1 to 3 founded a cluster; what 4 and 5 do, each test says.
struct founded_cluster : virtual_cluster {
  founded_cluster()
    : virtual_cluster{{.nodes = 5,
                       .adjust =
                         [this](node_options& x) {
                           if (founders.contains(x.id))
                             keep(x, founders);
                           else if (adjust_other)
                             adjust_other(x);
                         },
                       .is_one_cluster = false}} {
    for (uint64_t id = 1; id <= 3; ++id)
      REQUIRE(start(id).ok());
    REQUIRE(run_until([&] { return leader() != 0; }));
  }

  static void keep(node_options& x, const std::set<node_id>& members) {
    std::erase_if(x.members, [&](auto& member) { return !members.contains(member.first); });
  }
  void start_joining(uint64_t id) {
    adjust_other = [](node_options& x) { x.join = true; };
    REQUIRE(start(id).ok());
  }
  std::string founders_known_to(uint64_t id) {
    return node_of(id).context().peers->founding().members;
  }
  size_t change(recording_client& client, member_change_kind kind, uint64_t node) {
    return client.request(
      group(leader()),
      change_members{
        .changes = {{.kind = kind, .node = node, .address = "memory:" + std::to_string(node)}},
        .timeout_ms = 2000});
  }
  bool is_committed(recording_client& client, size_t position) {
    return run_until([&] { return client.at(position).has_value(); })
           && client.at(position)->kind == outcome_kind::committed;
  }

  std::function<void(node_options&)> adjust_other;
};

} // namespace

TEST_CASE_FIXTURE(founded_cluster,
                  "a node that founded a cluster of its own isn't let in, and no log changes") {
  recording_client client{system()};
  REQUIRE(is_committed(client, client.propose(group(leader()), "x")));
  SUBCASE("alone") {
    adjust_other = [](node_options& x) { keep(x, {node_id{4}}); };
    REQUIRE(start(4).ok());
    REQUIRE(run_until([&] { return status(4).leader == 4; }));
    for (int i = 0; i < 20; ++i)
      REQUIRE(is_committed(client, client.propose(group(4), "y")));
  }
  SUBCASE("with the others' addresses in its list") {
    adjust_other = [](node_options& x) {
      keep(x, {node_id{1}, node_id{2}, node_id{3}, node_id{4}});
    };
    REQUIRE(start(4).ok());
  }
  auto ended = status(4).last;
  auto digest = status(4).digest;
  change(client, member_change_kind::add, 4);
  advance(std::chrono::seconds{5});
  network().redial();
  advance(std::chrono::seconds{1});
  CHECK(log(4).count("founded by 1,2,3") > 0);
  CHECK(log(4).count("wipe its directory and start it with --join") > 0);
  CHECK(log(leader()).count("peer=4") > 0);
  CHECK(log(4).count("event=peer_up") == 0);
  CHECK(status(4).last == ended);
  CHECK(status(4).digest == digest);
  CHECK(status(leader()).machine == "{\"count\":1}");
  REQUIRE(is_committed(client, change(client, member_change_kind::remove, 4)));
  REQUIRE(is_committed(client, client.propose(group(leader()), "x")));

  // What the sentence says helps.
  stop(4);
  for (auto& name : disk(4).names())
    disk(4).erase(name);
  change_directory_of(4);
  start_joining(4);
  REQUIRE(is_committed(client, change(client, member_change_kind::add, 4)));
  CHECK(run_until([&] { return status(4).machine == "{\"count\":2}"; }));
}

TEST_CASE_FIXTURE(founded_cluster,
                  "what the first start recorded stays, whatever list comes later") {
  CHECK(founders_known_to(1) == "1,2,3");
  recording_client client{system()};
  start_joining(4);
  CHECK(founders_known_to(4).empty());
  REQUIRE(is_committed(client, change(client, member_change_kind::add, 4)));
  CHECK(founders_known_to(4) == "1,2,3");
  CHECK(log(4).count("event=cluster_joined founders=1,2,3") == 1);
  REQUIRE(run_until([&] { // What is lost here it couldn't know: where the others are.
    return leader() != 0 && status(4).persisted == status(leader()).last;
  }));
  crash(4);
  adjust_other = [](node_options& x) { keep(x, {node_id{4}}); };
  REQUIRE(start(4).ok());
  CHECK(founders_known_to(4) == "1,2,3");
  CHECK(log(4).count("event=cluster_joined") == 1);
  network().redial(); // The first dials came before it had read whom it knows.
  CHECK(run_until([&] { return status(4).leader == leader(); }));
  // A group of its own can't begin with that list: founders alone begin with members.
  auto later = node_of(4).create_group("later", machine());
  REQUIRE(later.ok());
  advance(std::chrono::seconds{5});
  CHECK(status(*later).leader == 0);
}

TEST_CASE_FIXTURE(founded_cluster, "two joining nodes meet, and both learn whose cluster it is") {
  for (uint64_t id = 1; id <= 3; ++id) // Nobody but the other answers.
    for (uint64_t other = 4; other <= 5; ++other)
      network().cut(node_id{id}, node_id{other});
  start_joining(4);
  start_joining(5);
  network().redial();
  CHECK(run_until([&] { return log(4).count("event=peer_up peer=5") == 1; }));
  CHECK(founders_known_to(4).empty());
  network().heal(node_id{1}, node_id{4});
  // Node 1 refuses who is no member yet; node 4 has been told all the same once it is one.
  recording_client client{system()};
  change(client, member_change_kind::add, 4);
  CHECK(run_until([&] { return founders_known_to(4) == "1,2,3"; }));
  // The link between them was made when neither knew: it is made again.
  CHECK(run_until([&] { return founders_known_to(5) == "1,2,3"; }));
  CHECK(log(5).count("event=peer_up peer=4") == 2);
}

} // namespace caucus::testing
