// What arrives faster than the workers look at it.

#include "actors/group_founding.hpp"
#include "actors/inbound.hpp"
#include "tests/support/virtual_cluster.hpp"

#include <doctest/doctest.h>

namespace caucus::testing {

namespace {

/// One node whose actors stand still until the test lets them run, and what a peer sends it.
struct late_node {
  void receive(const raft::message& body, size_t times = 1) {
    for (size_t i = 0; i < times; ++i)
      listener.on_messages(node_id{2}, {{group, body}});
  }
  [[nodiscard]] uint64_t dropped() { return node.inbound_dropped; }
  [[nodiscard]] uint64_t waiting_bytes() { return node.inbound->used(); }

  struct started : virtual_cluster {
    started()
      : virtual_cluster{
        {.nodes = 1, .adjust = [](node_options& x) { x.inbound_bytes_max = 8 << 20; }}} {
      start_all();
    }
  };

  started cluster;
  node_context& node = const_cast<node_context&>(cluster.node_of(1).context());
  inbound listener{node};
  group_id group = hash_group("tally", 1);
};

} // namespace

TEST_CASE("of heartbeats and votes that nobody has time for only the first are kept") {
  late_node x;
  const auto crowded = x.node.inbound->max() / 16;
  for (const raft::message& body : {raft::message{raft::heartbeat{}},
                                    {raft::heartbeat_reply{}},
                                    {raft::request_vote{}},
                                    {raft::vote_reply{}}})
    x.receive(body, 1000);
  CHECK(x.dropped() > 2000);
  CHECK(x.waiting_bytes() < crowded + 1024);

  // What isn't said again by itself, and what is for a group that has looked, is taken.
  const auto before = x.dropped();
  x.receive(raft::append_entries{}, 10);
  CHECK(x.dropped() == before);
  x.cluster.settle();
  CHECK(x.waiting_bytes() == 0);
  x.receive(raft::heartbeat{}, 10);
  CHECK(x.dropped() == before);
  x.cluster.settle();
}

TEST_CASE("what waits to be looked at never takes more memory than inbound-bytes-max") {
  late_node x;
  const raft::message body = raft::append_entries{};
  x.receive(body, 100'000);
  CHECK(x.waiting_bytes() <= x.node.inbound->max());
  CHECK(x.dropped() > 0);
  // So many bytes, at least, are around each.
  CHECK(100'000 - x.dropped() <= x.node.inbound->max() / (sizeof(raft::message) + 256));
}

TEST_CASE("groups that were closed are forgotten, however many there have been") {
  late_node x;
  const auto replica = x.node.routes.find(x.group);
  x.receive(raft::heartbeat{});
  for (uint64_t id = 1; id <= 1000; ++id) {
    x.node.routes.add(group_id{id}, replica);
    x.listener.on_messages(node_id{2}, {{group_id{id}, raft::heartbeat{}}});
    x.node.routes.remove(group_id{id});
  }
  CHECK(x.listener.counted_groups() <= 64);
  for (uint64_t id = 1; id <= 200; ++id) // Who is open stays.
    x.node.routes.add(group_id{id}, replica);
  for (uint64_t id = 1; id <= 200; ++id)
    x.listener.on_messages(node_id{2}, {{group_id{id}, raft::heartbeat{}}});
  CHECK(x.listener.counted_groups() >= 200);
  for (uint64_t id = 1; id <= 200; ++id)
    x.node.routes.remove(group_id{id});
  x.cluster.settle();
}

} // namespace caucus::testing
