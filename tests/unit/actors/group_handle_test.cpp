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

} // namespace caucus::testing
