// What the handle does on its sender's thread, before anything reaches a replica.

#include "tests/support/elected_cluster.hpp"

namespace caucus::testing {

TEST_CASE("a group isn't ended by an exit message, nor by the death of an actor linked to it") {
  elected_cluster cluster;
  recording_client client{cluster.system()};
  auto leader = cluster.leader();
  caf::anon_send_exit(cluster.group(leader), caf::exit_reason::kill);
  auto linked = cluster.system().spawn(
    [](caf::event_based_actor* self, const group_actor& group) {
      self->link_to(group);
      self->quit(caf::exit_reason::unhandled_exception);
    },
    cluster.group(leader));
  cluster.settle();
  auto result = cluster.wait_for(client, client.propose(cluster.group(leader), "x"));
  CHECK(result.kind == outcome_kind::committed);
}

TEST_CASE("A-07 a batch that never fits is too large, one that doesn't fit now is dropped") {
  elected_cluster cluster{
    {.nodes = 1, .adjust = [](node_options& x) { x.waiting_commands_max = 4; }}};
  auto told = std::make_shared<std::vector<outcome>>();
  auto send_batch = [&](size_t commands) {
    cluster.system().spawn(
      [told, commands](caf::event_based_actor* self, const group_actor& group) {
        self->request(group, caf::infinite, command_batch{std::vector<command>(commands)})
          .then([told](const std::vector<outcome>& x) { *told = x; });
      },
      cluster.group(1));
    cluster.settle();
  };
  send_batch(5);
  REQUIRE(told->size() == 5);
  CHECK(told->front().reason == errc::proposal_too_large);
  send_batch(4);
  REQUIRE(told->size() == 4);
  CHECK(told->front().kind == outcome_kind::committed);
}

TEST_CASE("A-07 requests that are no commands are bounded too, and refused on the sender's side") {
  elected_cluster cluster{{.nodes = 1}};
  struct counts {
    uint64_t told = 0;
    uint64_t refused = 0;
  };
  auto seen = std::make_shared<counts>();
  auto flood = [&] {
    cluster.system().spawn(
      [seen](caf::event_based_actor* self, const group_actor& group) {
        for (uint64_t i = 0; i < admission::questions_max + 10; ++i)
          self->request(group, caf::infinite, status_request{})
            .then([seen](const group_status&) { ++seen->told; },
                  [seen](const caf::error&) { ++seen->refused; });
      },
      cluster.group(1));
    cluster.settle();
  };
  flood();
  CHECK(seen->told == admission::questions_max);
  CHECK(seen->refused == 10);
  flood(); // The room of those that were answered is free again.
  CHECK(seen->told == 2 * admission::questions_max);
  auto group = cluster.group(1);
  for (uint64_t i = 0; i < admission::questions_max + 10; ++i)
    caf::anon_send(group, cancel{});
  cluster.settle();
  CHECK(cluster.status(1).role == "leader");
}

} // namespace caucus::testing
