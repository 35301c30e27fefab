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
  void adopt(const membership::founding& x) override { adopted.push_back(x); }
  bool send(node_id, std::vector<caucus::transport::routed_message>) override { return false; }
  bool send_bulk(node_id, const caucus::transport::bulk_message&) override { return false; }
  void stop() override {}
  [[nodiscard]] endpoint local_endpoint() const override { return {}; }

  std::vector<directory_id> confirmed;
  std::vector<membership::founding> adopted;
};

/// A node's surroundings with a log that is done when the test says so.
struct pinning_fixture {
  using pins = std::vector<wal_pin_peer>;

  pinning_fixture() {
    remember({}, {});
    node.environment = std::make_shared<node_environment>();
    node.environment->log = log;
    auto made = std::make_unique<fake_links>();
    links = made.get();
    node.links = std::move(made);
    node.wal = world.system().spawn(
      [](wal_writer_actor::pointer,
         const std::shared_ptr<pins>& kept) -> wal_writer_actor::behavior_type {
        return {[](const wal_append&) {},  [](const wal_describe&) {},
                [](const wal_mark&) {},    [](const wal_usage&) {},
                [](const wal_collect&) {}, [kept](const wal_pin_peer& x) { kept->push_back(x); },
                [](wal_flush) {},          [](wal_reserve) {},
                [](wal_close) {}};
      },
      asked);
    listener.add_link(node_id{}, peer_link_actor{});
  }
  ~pinning_fixture() { caf::anon_send_exit(node.wal, caf::exit_reason::user_shutdown); }

  /// What the node's own log knew at its start.
  void remember(const std::vector<persistence::peer_identity>& peers,
                const membership::founding& founding) {
    node.peers = std::make_unique<peer_registry>(
      node_id{1}, std::set<node_id>{node_id{1}, node_id{2}, node_id{3}}, peers, founding);
  }
  static transport::node_identity peer(uint64_t directory, uint64_t id = 2,
                                       const membership::founding& founding = {}) {
    return {cluster_id{1}, node_id{id}, directory_id{directory}, boot_count{1}, founding};
  }
  void sync() {
    world.settle();
    for (auto& one : std::exchange(*asked, {}))
      one.done();
  }

  virtual_cluster world{{.nodes = 0}};
  std::shared_ptr<recording_logger> log = std::make_shared<recording_logger>();
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

// -- whose cluster it is

namespace {
const auto ours = membership::founded_by({node_id{1}, node_id{2}, node_id{3}});
const auto theirs = membership::founded_by({node_id{2}});
} // namespace

TEST_CASE_FIXTURE(pinning_fixture, "a peer of a cluster that others founded is refused for good") {
  remember({}, ours);
  auto refused = listener.on_hello(peer(21, 2, theirs));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.reason().code == errc::identity_mismatch);
  CHECK(refused.reason().what
        == "node 2 is of a cluster founded by 2, node 1 of one of the same name founded by 1,2,3: "
           "stop the node that was to join the other's cluster, wipe its directory and start it "
           "with --join");
  CHECK(listener.on_hello(peer(21, 2, ours)).ok());
  CHECK(listener.on_hello(peer(31, 3)).ok()); // It is to join and has met nobody.
}

TEST_CASE_FIXTURE(pinning_fixture, "a joining node's first member tells it its cluster, durably, "
                                   "before a message of it is delivered") {
  SUBCASE("whose directory is new to it") {}
  SUBCASE("whose directory it knows already") { remember({{node_id{2}, directory_id{21}}}, {}); }
  REQUIRE(listener.on_hello(peer(21, 2, ours)).ok());
  listener.on_peer_up(peer(21, 2, ours));
  world.settle();
  REQUIRE(asked->size() == 1);
  CHECK(asked->front().founding == ours);
  CHECK(links->adopted.empty());
  CHECK(links->confirmed.empty());
  sync();
  CHECK(links->adopted == std::vector{ours});
  CHECK(links->confirmed == std::vector{directory_id{21}});
  // Once is enough.
  REQUIRE(listener.on_hello(peer(31, 3, ours)).ok());
  listener.on_peer_up(peer(31, 3, ours));
  sync();
  CHECK(links->adopted.size() == 1);
  CHECK(links->confirmed.size() == 2);
  CHECK_FALSE(listener.on_hello(peer(31, 3, theirs)).ok());
}

TEST_CASE_FIXTURE(pinning_fixture,
                  "of two clusters' members within one sync a joining node heeds the first only") {
  REQUIRE(listener.on_hello(peer(21, 2, ours)).ok());
  SUBCASE("the second says hello later") {
    listener.on_peer_up(peer(21, 2, ours));
    CHECK_FALSE(listener.on_hello(peer(31, 3, theirs)).ok());
  }
  SUBCASE("both said hello before") {
    REQUIRE(listener.on_hello(peer(31, 3, theirs)).ok());
    listener.on_peer_up(peer(21, 2, ours));
    listener.on_peer_up(peer(31, 3, theirs));
  }
  sync();
  CHECK(links->adopted == std::vector{ours});
  CHECK(links->confirmed == std::vector{directory_id{21}});
  CHECK_FALSE(listener.on_hello(peer(31, 3, theirs)).ok());
}

TEST_CASE_FIXTURE(pinning_fixture,
                  "a second member of the cluster waits until it is durably known") {
  remember({{node_id{2}, directory_id{21}}, {node_id{3}, directory_id{31}}}, {});
  listener.on_peer_up(peer(21, 2, ours));
  listener.on_peer_up(peer(31, 3, ours));
  CHECK(links->confirmed.empty());
  sync();
  CHECK(links->confirmed == std::vector{directory_id{21}, directory_id{31}});
}

TEST_CASE_FIXTURE(pinning_fixture, "two joining nodes meet before either knows its cluster") {
  REQUIRE(listener.on_hello(peer(21)).ok());
  listener.on_peer_up(peer(21));
  sync();
  CHECK(links->adopted.empty());
  CHECK(links->confirmed == std::vector{directory_id{21}});
}

} // namespace caucus::testing
