// A node's peers are those that its groups' configurations name, give or take a while.

#include "tests/support/elected_cluster.hpp"

namespace caucus::testing {

namespace {

using namespace std::chrono_literals;

/// Longer than a node keeps a peer that nobody needs any more.
constexpr auto patience = 5s;

struct changing_nodes : virtual_cluster {
  explicit changing_nodes(uint64_t founders)
    : virtual_cluster{{.nodes = 5, .adjust = [founders](node_options& x) {
                         x.join = x.id.value() > founders;
                         for (auto id = founders + 1; id <= 5; ++id)
                           if (id != x.id.value())
                             x.members.erase(node_id{id});
                       }}} {
    for (uint64_t id = 1; id <= founders; ++id)
      REQUIRE(start(id).ok());
    REQUIRE(run_until([&] { return leading() != 0; }));
  }

  /// A majority of the five may not run.
  uint64_t leading() {
    for (uint64_t id = 1; id <= 5; ++id)
      if (is_running(id) && status(id).role == "leader")
        return id;
    return 0;
  }
  uint64_t follower() { return leading() == 1 ? 2 : 1; }

  void change(const group_actor& asked, member_change_kind kind, uint64_t node) {
    size_t position = 0;
    REQUIRE(run_until([&] { // Who has just come to lead hasn't heard everybody yet.
      position = client.request(
        asked,
        change_members{
          .changes = {{.kind = kind, .node = node, .address = "memory:" + std::to_string(node)}}});
      return run_until([&] { return client.at(position).has_value(); })
             && client.at(position)->reason != errc::change_too_early;
    }));
    CAPTURE(client.at(position)->detail);
    CHECK(client.at(position)->kind == outcome_kind::committed);
  }
  void change(member_change_kind kind, uint64_t node) { change(group(leading()), kind, node); }

  bool has_peer(uint64_t id, uint64_t peer) {
    return node_of(id).context().peers->is_member(node_id{peer});
  }
  group_members members_of(uint64_t id) {
    auto answer = std::make_shared<group_members>();
    system().spawn(
      [answer](caf::event_based_actor* self, const group_actor& asked) {
        self->request(asked, caf::infinite, members_request{})
          .then([answer](group_members& x) { *answer = std::move(x); }, [](const caf::error&) {});
      },
      group(id));
    settle();
    return *answer;
  }

  recording_client client{system()};
};

struct three_nodes : changing_nodes {
  three_nodes() : changing_nodes{3} {}
};

} // namespace

TEST_CASE_FIXTURE(three_nodes, "a removed member hears that it was, then its links go, and it may "
                               "come back") {
  auto removed = follower();
  auto other = 6 - removed - leading();
  change(member_change_kind::remove, removed);
  CHECK(has_peer(leading(), removed));
  CHECK(run_until([&] { return members_of(removed).members.size() == 2; }, 1s));
  advance(patience);
  for (auto id : {leading(), other}) {
    CHECK_FALSE(has_peer(id, removed));
    CHECK(log(id).count("event=peer_dropped peer=" + std::to_string(removed)) == 1);
    CHECK(health(id).healthy);
  }
  network().redial();
  settle();
  CHECK(log(removed).count("is no member for node") > 0);
  change(member_change_kind::add, removed);
  CHECK(has_peer(leading(), removed));
  CHECK(run_until([&] { return members_of(removed).members.size() == 3; }));
  auto asked = client.propose(group(removed), "x");
  CHECK(run_until([&] { return client.at(asked).has_value(); }));
  CHECK(client.at(asked)->kind == outcome_kind::committed);
  advance(patience);
  CHECK(has_peer(leading(), removed));
}

TEST_CASE_FIXTURE(three_nodes, "a peer that comes back while it leaves stays") {
  auto removed = follower();
  change(member_change_kind::remove, removed);
  change(member_change_kind::add, removed);
  advance(patience);
  CHECK(has_peer(leading(), removed));
  CHECK(log(leading()).count("event=peer_dropped") == 0);
}

TEST_CASE_FIXTURE(three_nodes, "a peer stays for as long as one group has it as a member") {
  std::map<uint64_t, group_actor> second;
  for (uint64_t id = 1; id <= 3; ++id)
    second[id] = *node_of(id).create_group("second", machine());
  advance(patience);
  auto removed = follower();
  auto kept = leading();
  change(member_change_kind::remove, removed);
  advance(patience);
  CHECK(has_peer(kept, removed));
  REQUIRE(run_until([&] { return status(second[kept]).leader != 0; }));
  if (auto leads = status(second[kept]).leader; leads != kept)
    client.request(second[leads], transfer_leadership{.target = kept});
  REQUIRE(run_until([&] { return status(second[kept]).leader == kept; }));
  change(second[kept], member_change_kind::remove, removed);
  advance(patience);
  CHECK_FALSE(has_peer(kept, removed));
}

TEST_CASE_FIXTURE(three_nodes, "who isn't committed yet to be removed stays a peer") {
  auto alone = leading();
  for (uint64_t id = 1; id <= 3; ++id)
    if (id != alone)
      network().cut(node_id{alone}, node_id{id});
  client.request(group(alone), change_members{.changes = {{.kind = member_change_kind::remove,
                                                           .node = alone == 1 ? 2U : 1U}},
                                              .timeout_ms = 500});
  advance(patience);
  CHECK(has_peer(alone, alone == 1 ? 2 : 1));
  crash(alone); // Nor after a start that finds the change in its log.
  REQUIRE(start(alone).ok());
  advance(patience);
  CHECK(has_peer(alone, alone == 1 ? 2 : 1));
}

TEST_CASE_FIXTURE(three_nodes, "a joining node that has caught up keeps no link to who is gone") {
  REQUIRE(start(4).ok());
  change(member_change_kind::add, 4);
  auto gone = follower();
  change(member_change_kind::remove, gone);
  stop(gone);
  auto asked = client.propose(group(leading()), "x");
  REQUIRE(run_until([&] { return client.at(asked).has_value(); }));
  REQUIRE(start(5).ok()); // Its list still has the one that is gone.
  CHECK(has_peer(5, gone));
  change(member_change_kind::add, 5);
  CHECK(run_until([&] { return status(5).machine == "{\"count\":1}"; }));
  advance(patience);
  for (uint64_t id = 1; id <= 4; ++id)
    CHECK(has_peer(5, id) == (id != gone));
  // And after a start with that list.
  crash(5);
  REQUIRE(start(5).ok());
  advance(patience);
  CHECK_FALSE(has_peer(5, gone));
  CHECK(has_peer(5, leading()));
}

} // namespace caucus::testing
