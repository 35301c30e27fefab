#include "actors/transport_hub.hpp"
#include "tests/support/virtual_cluster.hpp"

#include <caf/send.hpp>
#include <doctest/doctest.h>

namespace caucus::testing {

namespace {

/// No peer can be reached.
class dead_links final : public transport::transport {
public:
  result<void> start(const caucus::transport::node_identity&,
                     caucus::transport::transport_listener&) override {
    return {};
  }
  void set_peers(const std::map<node_id, endpoint>&) override {}
  void confirm_peer(node_id, directory_id) override {}
  void adopt(const membership::founding&) override {}
  bool send(node_id, std::vector<caucus::transport::routed_message>) override { return false; }
  bool send_bulk(node_id, const caucus::transport::bulk_message&) override { return false; }
  void stop() override {}
  [[nodiscard]] endpoint local_endpoint() const override { return {}; }
};

struct hub_fixture {
  hub_fixture() {
    node->links = std::make_unique<dead_links>();
    for (uint64_t group = 1; group <= 3; ++group) {
      auto replica = world.system().spawn(
        [](caf::event_based_actor*, const std::shared_ptr<std::vector<uint64_t>>& heard,
           uint64_t who) -> caf::behavior {
          return {[heard, who](const group_peer_down& x) {
            CHECK(x.peer == node_id{2});
            heard->push_back(who);
          }};
        },
        told, group);
      node->routes.add(group_id{group}, caf::actor_cast<replica_actor>(replica));
      replicas.push_back(replica);
    }
    hub = world.system().spawn<transport_hub>(static_cast<caf::execution_unit*>(nullptr), node);
  }
  ~hub_fixture() {
    for (auto& one : replicas)
      caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(hub, caf::exit_reason::user_shutdown);
    node->routes.clear();
    world.settle();
  }

  virtual_cluster world{{.nodes = 0}};
  node_context_ptr node = std::make_shared<node_context>();
  std::shared_ptr<std::vector<uint64_t>> told = std::make_shared<std::vector<uint64_t>>();
  std::vector<caf::actor> replicas;
  transport_actor hub;
};

} // namespace
} // namespace caucus::testing

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<std::vector<uint64_t>>)

namespace caucus::testing {

TEST_CASE_FIXTURE(hub_fixture, "of what a dead link didn't take a group is told what it must say "
                               "again, and of heartbeats and votes nothing") {
  caf::anon_send(
    hub, transport_batch{node_id{2},
                         {{group_id{1}, raft::heartbeat{}}, {group_id{2}, raft::request_vote{}}}});
  world.settle();
  CHECK(told->empty());

  caf::anon_send(hub, transport_batch{node_id{2}, {{group_id{1}, raft::heartbeat{}}}});
  caf::anon_send(hub, transport_send{group_id{3},
                                     {{node_id{2}, raft::append_entries{}},
                                      {node_id{2}, raft::append_entries{}}}});
  world.settle();
  CHECK(*told == std::vector<uint64_t>{3});
}

} // namespace caucus::testing
