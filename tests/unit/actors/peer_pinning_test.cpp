// A peer counts once its directory is durably known, and only that one.

#include "actors/inbound.hpp"
#include "tests/support/virtual_cluster.hpp"

#include <doctest/doctest.h>

namespace caucus::testing {

namespace {

/// Remembers who was confirmed.
class fake_links final : public transport::transport {
public:
  result<void> start(const caucus::transport::node_identity&,
                     caucus::transport::transport_listener&) override {
    return {};
  }
  void set_peers(const std::map<node_id, endpoint>&) override {}
  void confirm_peer(node_id, directory_id directory) override { confirmed.push_back(directory); }
  bool send(node_id, std::vector<caucus::transport::routed_message>) override { return false; }
  void stop() override {}
  [[nodiscard]] endpoint local_endpoint() const override { return {}; }

  std::vector<directory_id> confirmed;
};

/// A node's surroundings with a log that is done when the test says so.
struct pinning_fixture {
  using pins = std::vector<wal_pin_peer>;

  pinning_fixture() {
    node.peers =
      std::make_unique<peer_registry>(node_id{1}, std::set<node_id>{node_id{1}, node_id{2}},
                                      std::vector<persistence::peer_identity>{});
    auto made = std::make_unique<fake_links>();
    links = made.get();
    node.links = std::move(made);
    node.wal = world.system().spawn(
      [](wal_writer_actor::pointer,
         const std::shared_ptr<pins>& kept) -> wal_writer_actor::behavior_type {
        return {[](const wal_append&) {}, [](const wal_describe&) {},
                [kept](const wal_pin_peer& x) { kept->push_back(x); }, [](wal_flush) {},
                [](wal_close) {}};
      },
      asked);
    listener.add_link(node_id{}, peer_link_actor{});
  }
  ~pinning_fixture() { caf::anon_send_exit(node.wal, caf::exit_reason::user_shutdown); }

  static transport::node_identity peer(uint64_t directory) {
    return {cluster_id{1}, node_id{2}, directory_id{directory}, boot_count{1}};
  }
  void sync() {
    world.settle();
    for (auto& one : std::exchange(*asked, {}))
      one.done();
  }

  virtual_cluster world{{.nodes = 0}};
  node_context node;
  fake_links* links = nullptr;
  std::shared_ptr<pins> asked = std::make_shared<pins>();
  inbound listener{node};
};

} // namespace
} // namespace caucus::testing

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<std::vector<caucus::wal_pin_peer>>)

namespace caucus::testing {

TEST_CASE_FIXTURE(pinning_fixture, "a new peer is confirmed once its directory is durably known") {
  REQUIRE(listener.on_hello(peer(21)).ok());
  listener.on_peer_up(peer(21));
  world.settle();
  CHECK(links->confirmed.empty());
  sync();
  CHECK(links->confirmed == std::vector{directory_id{21}});
  listener.on_peer_up(peer(21));
  CHECK(asked->empty());
  CHECK(links->confirmed.size() == 2);
}

TEST_CASE_FIXTURE(pinning_fixture,
                  "S-68 of two directories of a new peer within one sync only the first gets in") {
  REQUIRE(listener.on_hello(peer(21)).ok());
  SUBCASE("the second says hello later") {
    listener.on_peer_up(peer(21));
    CHECK_FALSE(listener.on_hello(peer(22)).ok());
    CHECK(listener.on_hello(peer(21)).ok()); // The first again: it lost its connection.
  }
  SUBCASE("both said hello before") {
    REQUIRE(listener.on_hello(peer(22)).ok());
    listener.on_peer_up(peer(21));
    listener.on_peer_up(peer(22));
  }
  sync();
  CHECK(links->confirmed == std::vector{directory_id{21}});
  CHECK_FALSE(listener.on_hello(peer(22)).ok());
  CHECK(listener.on_hello(peer(21)).ok());
}

} // namespace caucus::testing
