// What a bulk connection promises, over TCP and in memory.
#include "bulk_samples.hpp"
#include "tcp_node.hpp"
#include "transport/memory_network.hpp"

namespace caucus::transport {

namespace {

/// Nodes 1 and 2 over TCP. `wait` waits; a negative answer takes that long.
struct tcp_pair {
  tcp_pair() {
    for (auto* x : {&one, &two})
      x->start();
  }
  [[nodiscard]] transport& links(uint64_t id) const { return id == 1 ? *one.links : *two.links; }
  recording_listener& heard(uint64_t id) { return id == 1 ? one.heard : two.heard; }
  template <class Predicate>
  bool wait(uint64_t id, Predicate holds,
            std::chrono::milliseconds deadline = std::chrono::seconds{10}) {
    return heard(id).wait_until(holds, deadline);
  }
  [[nodiscard]] std::map<node_id, endpoint> peers() const {
    return {{node_id{1}, one.address()}, {node_id{2}, two.address()}};
  }

  tcp_node one{1};
  tcp_node two{2};
};

/// The same in memory, where waiting is delivering.
struct memory_pair {
  struct node {
    recording_listener heard;
    std::unique_ptr<transport> links;
  };

  memory_pair() {
    for (uint64_t id : {1, 2}) {
      auto& x = nodes[id];
      x.links = network->make_endpoint();
      x.heard.when_up = [links = x.links.get()](const node_identity& peer) {
        links->confirm_peer(peer.node, peer.directory);
      };
      REQUIRE(
        x.links->start({cluster_id{7}, node_id{id}, directory_id{100 + id}, boot_count{1}}, x.heard)
          .ok());
    }
  }
  transport& links(uint64_t id) { return *nodes.at(id).links; }
  recording_listener& heard(uint64_t id) { return nodes.at(id).heard; }
  template <class Predicate>
  bool wait(uint64_t id, Predicate holds, std::chrono::milliseconds = {}) {
    while (!holds(heard(id).look()))
      if (!network->deliver_one())
        return false;
    return true;
  }
  [[nodiscard]] static std::map<node_id, endpoint> peers() {
    return {{node_id{1}, {}}, {node_id{2}, {}}};
  }

  std::shared_ptr<memory_network> network = memory_network::make(1);
  std::map<uint64_t, node> nodes;
};

constexpr node_id other_of(uint64_t id) { return node_id{3 - id}; }

template <class Pair>
void connect(Pair& nodes) {
  for (uint64_t id : {1, 2})
    nodes.links(id).set_peers(nodes.peers());
  for (uint64_t id : {1, 2})
    REQUIRE(nodes.wait(id, [&](const auto& x) { return x.up.contains(other_of(id)); }));
}

/// Waits for what was promised to whom was refused. False if it was the end of the connection.
template <class Pair>
bool send_when_ready(Pair& nodes, uint64_t id, const bulk_message& message) {
  for (;;) {
    const auto before = nodes.heard(id).look();
    if (nodes.links(id).send_bulk(other_of(id), message))
      return true;
    const auto readies = [&](const auto& x) {
      const auto found = x.bulk_readies.find(other_of(id));
      return found == x.bulk_readies.end() ? size_t{0} : found->second;
    };
    REQUIRE(nodes.wait(id, [&](const auto& x) {
      return readies(x) > readies(before) || x.bulk_downs.size() > before.bulk_downs.size();
    }));
    if (nodes.heard(id).look().bulk_downs.size() > before.bulk_downs.size())
      return false;
  }
}

template <class Pair>
bool wait_bulk(Pair& nodes, uint64_t id, size_t count,
               std::chrono::milliseconds deadline = std::chrono::seconds{10}) {
  return nodes.wait(
    id,
    [&](const auto& x) {
      const auto found = x.bulk.find(other_of(id));
      return (found == x.bulk.end() ? 0 : found->second.size()) >= count;
    },
    deadline);
}

/// Chunks 0, 1, ... in their order and with their contents.
void check_chunks(const std::vector<bulk_message>& got, size_t count, size_t bytes) {
  REQUIRE(got.size() == count);
  for (uint64_t i = 0; i < count; ++i)
    REQUIRE(dump(got[i]) == dump(make_chunk(i, bytes)));
}

} // namespace

TEST_SUITE("transport/bulk_transport") {

  TEST_CASE_TEMPLATE("a bulk message makes the connection that it needs, for both directions", Pair,
                     tcp_pair, memory_pair) {
    Pair nodes;
    connect(nodes);
    const auto all = one_of_each_bulk();
    CHECK_FALSE(nodes.links(1).send_bulk(node_id{2}, all.front()));
    REQUIRE(nodes.wait(1, [](const auto& x) { return x.bulk_readies.contains(node_id{2}); }));
    for (const auto& x : all)
      CHECK(nodes.links(1).send_bulk(node_id{2}, x));
    REQUIRE(wait_bulk(nodes, 2, all.size()));
    const auto record = nodes.heard(2).look();
    for (size_t i = 0; i < all.size(); ++i)
      CHECK(dump(record.bulk.at(node_id{1})[i]) == dump(all[i]));
    CHECK(nodes.links(2).send_bulk(node_id{1}, all.front()));
    CHECK(wait_bulk(nodes, 1, 1));
    CHECK(record.bulk_readies.empty()); // It was never refused.
    CHECK(record.bulk_downs.empty());
    CHECK(record.message_count == 0);
  }

  TEST_CASE_TEMPLATE("two nodes that begin at once lose nothing and are told of no end", Pair,
                     tcp_pair, memory_pair) {
    for (int round = 0; round < 20; ++round) {
      Pair nodes;
      connect(nodes);
      CHECK_FALSE(nodes.links(1).send_bulk(node_id{2}, make_chunk(0, 10)));
      nodes.links(2).send_bulk(node_id{1}, make_chunk(0, 10));
      for (uint64_t i = 0; i < 20; ++i)
        for (uint64_t id : {1, 2})
          REQUIRE(send_when_ready(nodes, id, make_chunk(i, 10)));
      for (uint64_t id : {1, 2}) {
        REQUIRE(wait_bulk(nodes, id, 20));
        const auto record = nodes.heard(id).look();
        const auto& got = record.bulk.at(other_of(id));
        const bool was_taken_at_once = got.size() == 21; // The second node's first try.
        check_chunks({got.begin() + (was_taken_at_once ? 1 : 0), got.end()}, 20, 10);
        CHECK(record.bulk_downs.empty());
        CHECK(record.downs.empty());
      }
    }
  }

  TEST_CASE_TEMPLATE("a slow reader costs bounded memory, and the rest goes when it reads again",
                     Pair, tcp_pair, memory_pair) {
    Pair nodes;
    nodes.heard(2).when_up = nullptr; // Unconfirmed: what comes stays in the socket.
    connect(nodes);
    REQUIRE(send_when_ready(nodes, 1, make_chunk(0)));
    constexpr uint64_t total = 300;
    uint64_t taken = 1;
    while (taken < total && nodes.links(1).send_bulk(node_id{2}, make_chunk(taken)))
      ++taken;
    CHECK(taken < 100); // The queue's 4 MiB, and the buffers of both sockets.
    CHECK_FALSE(wait_bulk(nodes, 2, 1, std::chrono::milliseconds{100}));
    nodes.links(2).confirm_peer(node_id{1}, directory_id{999}); // Another directory.
    CHECK_FALSE(wait_bulk(nodes, 2, 1, std::chrono::milliseconds{100}));
    nodes.links(2).confirm_peer(node_id{1}, directory_id{101});
    for (; taken < total; ++taken)
      REQUIRE(send_when_ready(nodes, 1, make_chunk(taken)));
    REQUIRE(wait_bulk(nodes, 2, total));
    check_chunks(nodes.heard(2).look().bulk.at(node_id{1}), total, snapshot_chunk_bytes_max);
  }

  TEST_CASE_TEMPLATE("the first connection's end is the second's, and both come again", Pair,
                     tcp_pair, memory_pair) {
    Pair nodes;
    connect(nodes);
    REQUIRE(send_when_ready(nodes, 1, make_chunk(0, 10)));
    REQUIRE(wait_bulk(nodes, 2, 1));
    nodes.links(1).set_peers({});
    for (uint64_t id : {1, 2}) {
      REQUIRE(nodes.wait(id, [&](const auto& x) { return !x.downs.empty(); }));
      const auto record = nodes.heard(id).look();
      REQUIRE(record.bulk_downs.size() == 1); // Told before the peer's own end.
      CHECK(record.bulk_downs.front().first == other_of(id));
    }
    nodes.links(1).set_peers(nodes.peers());
    for (uint64_t id : {1, 2})
      REQUIRE(nodes.wait(id, [&](const auto& x) { return x.ups.at(other_of(id)) >= 2; }));
    REQUIRE(nodes.wait(1, [](const auto& x) { return x.up.contains(node_id{2}); }));
    REQUIRE(send_when_ready(nodes, 1, make_chunk(1, 10)));
    REQUIRE(wait_bulk(nodes, 2, 2));
    check_chunks(nodes.heard(2).look().bulk.at(node_id{1}), 2, 10);
  }

  TEST_CASE_TEMPLATE("without a connection to the peer there is none for bulk, and that is told",
                     Pair, tcp_pair, memory_pair) {
    Pair nodes;
    CHECK_FALSE(send_when_ready(nodes, 1, make_chunk(0)));
    const auto [peer, reason] = nodes.heard(1).look().bulk_downs.front();
    CHECK(peer == node_id{2});
    CHECK(reason.code == errc::unreachable);
    CHECK(nodes.heard(1).look().downs.empty());
  }

  TEST_CASE_TEMPLATE("a chunk larger than any is a mistake of its sender", Pair, tcp_pair,
                     memory_pair) {
    Pair nodes;
    connect(nodes);
    REQUIRE(send_when_ready(nodes, 1, make_chunk(0)));
    CHECK_THROWS(nodes.links(1).send_bulk(node_id{2}, make_chunk(1, 300'000)));
    REQUIRE(send_when_ready(nodes, 1, make_chunk(1)));
    CHECK(wait_bulk(nodes, 2, 2));
  }

  TEST_CASE_FIXTURE(memory_pair, "in memory a cut bulk connection loses what is under way alone") {
    connect(*this);
    REQUIRE(send_when_ready(*this, 1, make_chunk(0, 10)));
    REQUIRE(wait_bulk(*this, 2, 1));
    CHECK(links(1).send_bulk(node_id{2}, make_chunk(99, 10)));
    network->cut_bulk(node_id{1}, node_id{2});
    CHECK_FALSE(links(1).send_bulk(node_id{2}, make_chunk(1, 10)));
    network->deliver_all();
    for (uint64_t id : {1, 2}) {
      CHECK(heard(id).look().bulk_downs.size() == 1);
      CHECK(heard(id).look().downs.empty());
    }
    REQUIRE(send_when_ready(*this, 1, make_chunk(1, 10)));
    REQUIRE(wait_bulk(*this, 2, 2));
    check_chunks(heard(2).look().bulk.at(node_id{1}), 2, 10);
  }

  TEST_CASE_FIXTURE(memory_pair, "in memory bulk suffers from the same faults as messages") {
    connect(*this);
    REQUIRE(send_when_ready(*this, 1, make_chunk(0, 10)));
    network->deliver_all();
    const auto count = [&] { return heard(2).look().bulk.at(node_id{1}).size(); };
    network->silence(node_id{1}, node_id{2});
    CHECK(links(1).send_bulk(node_id{2}, make_chunk(1, 10)));
    network->deliver_all();
    CHECK(count() == 1);
    network->unsilence(node_id{1}, node_id{2});
    network->set_faults({.duplicate_percent = 50, .reorder_percent = 50});
    for (uint64_t i = 0; i < 200; ++i)
      CHECK(links(1).send_bulk(node_id{2}, make_chunk(i, 10)));
    network->deliver_all();
    CHECK(count() > 220);
    network->set_faults({.corrupt_percent = 100});
    CHECK(links(1).send_bulk(node_id{2}, make_chunk(1, 10)));
    network->deliver_all();
    CHECK(heard(2).look().frame_errors.at(node_id{1}) == 1);
    CHECK(heard(1).look().bulk_downs.size() == 1);
    CHECK(heard(1).look().downs.empty());
  }

  TEST_CASE_FIXTURE(memory_pair, "in memory without encoding bulk is counted and bounded too") {
    network->set_encoding(false);
    connect(*this);
    REQUIRE(send_when_ready(*this, 1, make_chunk(0)));
    uint64_t taken = 1;
    while (taken < 300 && links(1).send_bulk(node_id{2}, make_chunk(taken)))
      ++taken;
    CHECK(taken < 20);
    for (; taken < 300; ++taken)
      REQUIRE(send_when_ready(*this, 1, make_chunk(taken)));
    REQUIRE(wait_bulk(*this, 2, 300));
    check_chunks(heard(2).look().bulk.at(node_id{1}), 300, snapshot_chunk_bytes_max);
  }
}

} // namespace caucus::transport
