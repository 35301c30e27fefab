// Whole nodes on disks that fill up and have room again (RELIABILITY E-05, O-04).

#include "tests/support/elected_cluster.hpp"

#include <doctest/doctest.h>
#include <set>

namespace caucus::testing {

using namespace std::chrono_literals;

namespace {

/// Small segments, so that a full disk is noticed after few commands.
struct filling_cluster : elected_cluster {
  explicit filling_cluster(uint64_t nodes = 3)
    : elected_cluster{{.nodes = nodes, .adjust = [](node_options& x) {
                         x.segment_bytes = 64 << 10;
                         x.spare_segments = 0; // Else what the log gives up is its own room.
                         x.snapshot_log_bytes = 1 << 30;
                       }}} {}

  void fill(uint64_t id) {
    disk(id).on_call([](const disk_call& call) -> std::optional<error> {
      if (call.kind != disk_call::kind::allocate)
        return std::nullopt;
      return error{errc::no_space, "cannot allocate memory/" + std::string{call.name}};
    });
  }
  void empty(uint64_t id) { disk(id).on_call({}); }

  outcome propose(uint64_t id) {
    auto told = wait_for(client, client.propose(group(id), std::string(4000, 'x')));
    committed += told.kind == outcome_kind::committed ? 1 : 0;
    unknown += told.kind == outcome_kind::unknown ? 1 : 0;
    return told;
  }
  uint64_t count(uint64_t id) {
    const auto told = wait_for(client, client.request(group(id), query{.how = freshness::stale}));
    REQUIRE(told.kind == outcome_kind::committed);
    return std::stoull(std::string{told.reply.view()});
  }
  bool is_full(uint64_t id) { return !health(id).trouble.empty(); }

  recording_client client{system()};
  uint64_t committed = 0;
  uint64_t unknown = 0;
};

} // namespace

TEST_CASE("E-05 a leader whose disk is full gives way, says so, and takes part again by itself") {
  filling_cluster cluster;
  const auto full = cluster.leader();
  cluster.fill(full);
  for (int i = 0; i < 100 && !cluster.is_full(full); ++i)
    cluster.propose(full);
  REQUIRE(cluster.is_full(full));
  CHECK(cluster.health(full).healthy);
  CHECK(cluster.health(full).trouble.find("memory/") != std::string::npos);
  CHECK(cluster.log(full).count("event=disk_full") == 1);
  REQUIRE(cluster.run_until([&] { return cluster.leader() != 0 && cluster.leader() != full; }));
  for (int i = 0; i < 40; ++i)
    CHECK(cluster.propose(cluster.leader()).kind == outcome_kind::committed);
  const auto refused = cluster.propose(full); // It would never learn its fate.
  CHECK(refused.kind == outcome_kind::not_executed);
  CHECK(refused.reason == errc::storage_full);
  CHECK(cluster.status(full).fault.empty());
  CHECK(cluster.unknown == 0);
  cluster.empty(full);
  REQUIRE(cluster.run_until([&] { return cluster.count(full) == cluster.committed; }));
  CHECK_FALSE(cluster.is_full(full));
  CHECK(cluster.log(full).count("event=disk_has_room") == 1);
  CHECK(cluster.propose(full).kind == outcome_kind::committed);
}

/// A node alone on a disk that has room for so many of its log's segments, whose log therefore
/// fills the disk by itself.
struct crowded_node : elected_cluster {
  explicit crowded_node(size_t most, uint64_t snapshot_log_bytes = 20 << 10)
    : elected_cluster{{.nodes = 1,
                       .adjust =
                         [=](node_options& x) {
                           x.segment_bytes = 64 << 10;
                           x.spare_segments = 0;
                           x.snapshot_log_bytes = snapshot_log_bytes;
                           x.snapshot_interval_ms = 0;
                         }}},
      segments_max{most} {
    for (const auto& name : disk(1).names())
      if (name.starts_with("wal-"))
        segments.insert(segment_of(name));
    disk(1).on_call([this](const disk_call& call) { return judge(call); });
  }

  /// The one that is set aside has another name than it will have.
  static std::string segment_of(std::string_view name) {
    return std::string{name.substr(0, name.find(".log"))};
  }
  std::optional<error> judge(const disk_call& call) {
    const auto segment = segment_of(call.name);
    if (call.kind == disk_call::kind::remove && segments.contains(segment)) {
      if (keeps_segments)
        return error{errc::io_failed, "cannot remove memory/" + std::string{call.name}};
      segments.erase(segment);
    }
    if (call.kind != disk_call::kind::allocate)
      return std::nullopt;
    if (segments.size() >= segments_max)
      return error{errc::no_space, "cannot allocate memory/" + std::string{call.name}};
    segments.insert(segment);
    return std::nullopt;
  }
  size_t propose() { return client.propose(group(1), std::string(4000, 'x')); }

  size_t segments_max;
  std::set<std::string> segments;
  bool keeps_segments = false;
  recording_client client{system()};
};

TEST_CASE("E-05 a log that fills the disk by itself makes room by itself") {
  for (size_t segments_max : {3, 4}) {
    CAPTURE(segments_max);
    crowded_node node{segments_max};
    uint64_t committed = 0;
    uint64_t refused = 0;
    const auto propose = [&] {
      node.advance(100ms); // A tick, by which replicas notice that it's full.
      const auto told = node.wait_for(node.client, node.propose());
      committed += told.kind == outcome_kind::committed ? 1 : 0;
      refused += told.kind == outcome_kind::not_executed ? 1 : 0;
    };
    REQUIRE(node.run_until(
      [&] {
        propose();
        return committed == 300; // 20 segments.
      },
      300s));
    if (segments_max == 3)              // With one more the collector keeps up.
      CHECK(committed + refused > 300); // It was full now and then.
    CHECK(node.log(1).count("event=segment_removed") >= 15);
    CHECK(node.status(1).fault.empty());
  }
}

TEST_CASE(
  "E-05 a full disk has its groups make snapshots, though most of the oldest segment lives") {
  crowded_node node{4, 1 << 30};
  uint64_t committed = 0;
  const auto propose = [&] {
    node.advance(100ms);
    const auto told = node.wait_for(node.client, node.propose());
    committed += told.kind == outcome_kind::committed ? 1 : 0;
  };
  while (committed < 20)
    propose();
  const auto made = node.wait_for(node.client, node.client.request(node.group(1), take_snapshot{}));
  REQUIRE(made.kind == outcome_kind::committed);
  REQUIRE(node.run_until(
    [&] {
      propose();
      return committed == 100; // 7 segments.
    },
    300s));
  CHECK(node.log(1).count("event=disk_full") > 0);
  CHECK(node.log(1).count("event=snapshot_made") >= 2);
  CHECK(node.status(1).fault.empty());
}

TEST_CASE("E-05 segments that the log has given up go also while nothing can be written") {
  crowded_node node{1000};
  for (int i = 0; i < 150; ++i)
    REQUIRE(node.wait_for(node.client, node.propose()).kind == outcome_kind::committed);
  node.keeps_segments = true;
  REQUIRE(node.run_until([&] { return node.log(1).count("event=segment_not_removed") > 0; }));
  const auto kept = node.segments.size();
  CHECK(kept > 3);
  node.segments_max = kept;
  std::vector<size_t> asked;
  for (int i = 0; i < 60; ++i) // Together more than is set aside.
    asked.push_back(node.propose());
  REQUIRE(node.run_until([&] { return !node.health(1).trouble.empty(); }));
  node.advance(2s);
  CHECK_FALSE(node.client.at(asked.back()).has_value());
  node.keeps_segments = false;
  for (auto one : asked)
    CHECK(node.wait_for(node.client, one).kind == outcome_kind::committed);
  CHECK(node.health(1).trouble.empty());
}

TEST_CASE("E-05 where all disks are full nothing is taken, nothing is lost, and reads go on") {
  filling_cluster cluster;
  for (uint64_t id = 1; id <= 3; ++id)
    cluster.fill(id);
  const auto are_full = [&] {
    return cluster.is_full(1) && cluster.is_full(2) && cluster.is_full(3);
  };
  for (int i = 0; i < 200 && !are_full(); ++i)
    cluster.propose(1 + static_cast<uint64_t>(i) % 3);
  REQUIRE(are_full());
  REQUIRE(cluster.run_until([&] { return cluster.leader() == 0; })); // All groups know.
  const auto before = cluster.committed;
  for (int i = 0; i < 30; ++i)
    CHECK(cluster.propose(1 + static_cast<uint64_t>(i) % 3).kind == outcome_kind::not_executed);
  CHECK(cluster.committed == before);
  for (uint64_t id = 1; id <= 3; ++id) {
    CHECK(cluster.count(id) <= cluster.committed + cluster.unknown);
    CHECK(cluster.status(id).fault.empty());
  }
  for (uint64_t id = 1; id <= 3; ++id)
    cluster.empty(id);
  REQUIRE(cluster.run_until([&] { return cluster.leader() != 0; }));
  REQUIRE(cluster.propose(cluster.leader()).kind == outcome_kind::committed);
  const auto counted = cluster.count(cluster.leader());
  CHECK(counted >= cluster.committed);
  CHECK(counted <= cluster.committed + cluster.unknown);
  for (uint64_t id = 1; id <= 3; ++id)
    REQUIRE(cluster.run_until([&] { return cluster.count(id) == counted; }));
}

TEST_CASE("E-05 a node of one refuses with storage_full and goes on once it has room") {
  filling_cluster cluster{1};
  cluster.fill(1);
  for (int i = 0; i < 100 && !cluster.is_full(1); ++i)
    cluster.propose(1);
  REQUIRE(cluster.is_full(1));
  REQUIRE(cluster.run_until([&] { return cluster.leader() == 0; }));
  const auto told = cluster.propose(1);
  CHECK(told.kind == outcome_kind::not_executed);
  CHECK(told.reason == errc::storage_full);
  cluster.empty(1);
  REQUIRE(cluster.run_until([&] { return cluster.leader() == 1; }));
  CHECK(cluster.propose(1).kind == outcome_kind::committed);
  CHECK(cluster.count(1) == cluster.committed);
}

} // namespace caucus::testing
