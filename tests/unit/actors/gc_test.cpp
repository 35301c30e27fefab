// The collector of a whole node, in virtual time: how fast it goes, and how blocks are given back.

#include "tests/support/elected_cluster.hpp"

#include <doctest/doctest.h>

namespace caucus::testing {

using namespace std::chrono_literals;

namespace {

constexpr uint64_t mib = uint64_t{1} << 20;

/// A node alone whose log is garbage once its two snapshots are made.
struct lone_node : elected_cluster {
  lone_node(uint64_t segment_bytes, uint64_t gc_bytes_per_second)
    : elected_cluster{{.nodes = 1, .adjust = [=](node_options& x) {
                         x.segment_bytes = segment_bytes;
                         x.spare_segments = 0;
                         x.gc_bytes_per_second = gc_bytes_per_second;
                         x.snapshot_log_bytes = 1 << 30;
                         x.snapshot_interval_ms = 0;
                       }}} {
    disk(1).on_call([this](const disk_call& call) -> std::optional<error> {
      if (call.kind == disk_call::kind::shrink)
        sizes.push_back(call.offset);
      if (call.kind == disk_call::kind::shrink && !node_of(1).context().room.is_there())
        ++pieces_while_full;
      if (call.kind == disk_call::kind::allocate && is_full)
        return error{errc::no_space, "cannot allocate memory/" + std::string{call.name}};
      return std::nullopt;
    });
  }

  void fill(uint64_t count, uint64_t bytes) {
    for (; count > 0; --count)
      REQUIRE(wait_for(client, client.propose(group(1), std::string(bytes, 'x'))).kind
              == outcome_kind::committed);
  }
  void give_up() {  // The log goes back to the older of two.
    advance(200ms); // The collector has looked, and what is appended before doesn't press.
    for (int i = 0; i < 2; ++i) {
      REQUIRE(wait_for(client, client.request(group(1), take_snapshot{})).kind
              == outcome_kind::committed);
      fill(1, 1);
    }
  }
  size_t segments() {
    size_t count = 0;
    for (const auto& name : disk(1).names())
      count += name.starts_with("wal-") && name.ends_with(".log") ? 1 : 0;
    return count;
  }
  size_t removed() { return log(1).count("event=segment_removed"); }

  std::vector<uint64_t> sizes; ///< Of files that shrank.
  uint64_t pieces_while_full = 0;
  bool is_full = false;
  recording_client client{system()};
};

} // namespace

TEST_CASE("a removed segment's blocks are given back in pieces of 1 MiB, at the collector's rate") {
  lone_node node{4 * mib, mib};
  node.fill(60, mib / 2);
  REQUIRE(node.segments() >= 8);
  node.give_up();
  REQUIRE(node.run_until([&] { return node.removed() == 1; }));
  node.advance(1s);
  const auto begun = node.sizes.size();
  CHECK(begun <= 2);
  node.advance(2s);
  CHECK(node.sizes.size() >= begun + 1);
  CHECK(node.sizes.size() <= begun + 2);
  CHECK(node.removed() == 1); // One segment at a time: no removal while blocks are left.
  REQUIRE(node.run_until([&] { return node.removed() == 3; }));
  node.sizes.resize(6); // The last piece of each goes with its descriptor.
  CHECK(node.sizes == std::vector{3 * mib, 2 * mib, mib, 3 * mib, 2 * mib, mib});
}

TEST_CASE("a full disk gets a removed segment's blocks back at once, at whatever rate") {
  lone_node node{4 * mib, 1000};
  node.fill(120, mib / 2);
  node.give_up();
  REQUIRE(node.run_until([&] { return node.removed() == 1; }));
  node.is_full = true;
  for (int i = 0; i < 20 && node.health(1).trouble.empty(); ++i) {
    node.client.propose(node.group(1), std::string(mib / 2, 'x'));
    node.advance(100ms);
  }
  REQUIRE_FALSE(node.health(1).trouble.empty());
  REQUIRE(node.run_until([&] { return node.segments() <= 4; }, 3s));
  CHECK(node.pieces_while_full == 0);
}

TEST_CASE("a log that grows stays short, however low the collector's rate") {
  lone_node node{64 << 10, 1000};
  size_t most = 0;
  for (int round = 0; round < 40; ++round) {
    for (int i = 0; i < 12; ++i) {
      node.fill(1, 4000);
      node.advance(20ms);
    }
    node.give_up();
    most = std::max(most, node.segments());
  }
  CHECK(node.removed() >= 20);
  CHECK(most <= 7); // Twice what is kept, two rounds at most of 60 KB, and three.
}

TEST_CASE("a log that doesn't grow is shortened no faster than the collector's rate") {
  lone_node node{64 << 10, 64 << 10};
  node.fill(160, 4000); // 11 segments.
  REQUIRE(node.segments() >= 10);
  node.give_up();
  REQUIRE(node.run_until([&] { return node.removed() == 1; }));
  node.advance(3s);
  CHECK(node.removed() >= 2);
  CHECK(node.removed() <= 5);
}

} // namespace caucus::testing
