// Snapshots in whole nodes: made, kept, loaded at a start; and the log gets shorter by them.

#include "persistence/segment_header.hpp"
#include "tests/unit/actors/snapshot_cluster.hpp"

namespace caucus::testing {

using namespace std::chrono_literals;

TEST_CASE("a snapshot is made on request, and a start loads it instead of the log before it") {
  for (bool is_large : {false, true}) {
    CAPTURE(is_large);
    snapshot_cluster cluster{is_large ? with_large_machines() : virtual_cluster::options{}};
    cluster.propose(20);
    auto id = cluster.leader();
    auto first = cluster.take(id);
    REQUIRE(first.kind == outcome_kind::committed);
    CHECK(first.index >= 20);
    CHECK(cluster.status(id).snapshot == first.index);
    CHECK(cluster.take(id).index == first.index); // Nothing has happened since.
    cluster.propose(5);
    auto second = cluster.take(id);
    cluster.propose(5);
    auto before = cluster.status(id);
    CHECK(cluster.snapshot_files(id).size() == (is_large ? 2 : 0));
    cluster.crash(id);
    REQUIRE(cluster.start(id).ok());
    REQUIRE(cluster.run_until([&] { return cluster.status(id).machine == before.machine; }));
    CHECK(cluster.status(id).snapshot == second.index);
    cluster.propose(1);
  }
}

TEST_CASE("a snapshot is made at the rate of transfers, a little at a time") {
  std::chrono::nanoseconds longest{};
  std::chrono::nanoseconds all{};
  auto how = with_slow_transfers(); // 500,000 bytes a second.
  how.on_pause = [&](std::chrono::nanoseconds time) {
    longest = std::max(longest, time);
    all += time;
  };
  snapshot_cluster cluster{how};
  cluster.propose(1);
  const auto begin = cluster.system().clock().now();
  REQUIRE(cluster.take(cluster.leader()).kind == outcome_kind::committed);
  // The machine writes its 1,000,000 bytes at once; its last 200,000 make nobody wait.
  CHECK(all > 1500ms);
  CHECK(all < 1800ms);
  CHECK(longest < 600ms);
  CHECK(cluster.system().clock().now() - begin < 3s);
}

TEST_CASE("two are kept, older files go") {
  snapshot_cluster cluster{with_large_machines()};
  auto id = cluster.leader();
  for (int i = 0; i < 4; ++i) {
    cluster.propose(3);
    REQUIRE(cluster.take(id).kind == outcome_kind::committed);
  }
  cluster.settle();
  CHECK(cluster.snapshot_files(id).size() == 2);
}

TEST_CASE("E-11 the older snapshot and the log are used when the newest is damaged") {
  snapshot_cluster cluster{with_large_machines()};
  auto id = cluster.follower();
  cluster.propose(5);
  REQUIRE(cluster.take(id).kind == outcome_kind::committed);
  cluster.propose(5, 'y');
  REQUIRE(cluster.take(id).kind == outcome_kind::committed);
  cluster.propose(5, 'z');
  REQUIRE(cluster.run_until([&] { return cluster.is_level(id); }));
  cluster.stop(id);
  auto files = cluster.snapshot_files(id);
  REQUIRE(files.size() == 2);
  const std::byte wrong{'!'};
  cluster.disk(id).overwrite(files.back(), 500'000, {&wrong, 1});
  SUBCASE("one") {
    REQUIRE(cluster.start(id).ok());
    CHECK(cluster.log(id).count("event=snapshot_damaged") == 1);
    REQUIRE(cluster.run_until([&] { return cluster.is_level(id); }));
  }
  SUBCASE("both: the group is refused here, with a reason, and the node lives") {
    cluster.disk(id).overwrite(files.front(), 500'000, {&wrong, 1});
    auto refused = cluster.start(id);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.reason().what.find("no snapshot") != std::string::npos);
    CHECK(refused.reason().what.find(files.front()) != std::string::npos);
  }
}

TEST_CASE("a long log makes snapshots by itself and gives its segments back") {
  snapshot_cluster cluster{with_short_logs()};
  cluster.propose(3000);
  REQUIRE(cluster.run_until([&] { return cluster.segments(cluster.leader()) <= 4; }));
  CHECK(cluster.log(cluster.leader()).count("event=segment_removed") > 3);
  CHECK(cluster.log(cluster.follower()).count("event=snapshot_made") > 10);
  auto before = cluster.status(cluster.leader()).machine;
  for (uint64_t id = 1; id <= 3; ++id)
    cluster.crash(id);
  cluster.start_all();
  REQUIRE(cluster.run_until([&] { return cluster.leader() != 0; }));
  cluster.propose(1);
  CHECK(cluster.status(cluster.leader()).machine == "{\"count\":3001}");
}

TEST_CASE("E-02 a segment that can't be read for a while goes once it can") {
  snapshot_cluster cluster{with_short_logs()};
  group_actor cold; // What the oldest segment has of it must be read to be moved.
  for (uint64_t id = 1; id <= 3; ++id)
    cold = *cluster.node_of(id).create_group("cold",
                                             [] { return std::make_unique<without_snapshots>(); });
  REQUIRE(cluster.run_until([&] { return cluster.status(cold).leader != 0; }));
  REQUIRE(cluster.wait_for(cluster.client, cluster.client.propose(cold, "x")).kind
          == outcome_kind::committed);
  const auto id = cluster.leader();
  cluster.disk(id).on_call([](const disk_call& x) -> std::optional<error> {
    if (x.kind == disk_call::kind::read && x.name.starts_with("wal-"))
      return error{errc::io_failed, "cannot read memory/" + std::string{x.name}};
    return std::nullopt;
  });
  cluster.propose(3000);
  cluster.advance(5s);
  CHECK(cluster.log(id).count("event=segment_unreadable") == 1);
  CHECK(cluster.segments(id) > 5);
  cluster.advance(30s);
  CHECK(cluster.log(id).count("event=segment_unreadable") == 1); // Not again and again.
  cluster.disk(id).on_call({});
  REQUIRE(cluster.run_until([&] { return cluster.segments(id) <= 4; }, 120s));
}

TEST_CASE(
  "N-02 S-55 a crash at any call while a snapshot takes an older one's place leaves one of them") {
  bool was_done_before = false;
  for (uint64_t calls = 1; !was_done_before || calls < 60; ++calls) {
    CAPTURE(calls);
    auto how = with_large_machines();
    how.seed = calls; // Which of its actors goes on first is drawn.
    snapshot_cluster cluster{how};
    const auto away = cluster.follower();
    for (int i = 0; i < 2;
         ++i) { // Its log begins after the first: without a snapshot it is nothing.
      cluster.propose(3);
      REQUIRE(cluster.take(away).kind == outcome_kind::committed);
    }
    cluster.crash(away);
    for (int i = 0; i < 3; ++i) {
      cluster.propose(3);
      REQUIRE(cluster.take(cluster.leader()).kind == outcome_kind::committed);
    }
    REQUIRE(cluster.start(away).ok());
    cluster.disk(away).stop_at(cluster.disk(away).call_count() + calls);
    was_done_before = cluster.run_until([&] { return cluster.is_level(away); }, 3s);
    cluster.crash(away);
    cluster.disk(away).stop_at(0);
    REQUIRE(cluster.start(away).ok());
    REQUIRE(cluster.run_until([&] { return cluster.is_level(away); }));
  }
}

TEST_CASE("a machine that throws while it is written costs the snapshot and nothing else") {
  class throwing final : public state_machine {
    apply_result apply(const apply_context&, const shared_bytes&) override {
      return shared_bytes{};
    }
    [[nodiscard]] uint64_t digest() const override { return 0; }
    [[nodiscard]] std::unique_ptr<snapshot_view> take_view() const override {
      struct view final : snapshot_view {
        result<void> write(snapshot_sink&) const override {
          throw std::runtime_error{"planted in a view"};
        }
      };
      return std::make_unique<view>();
    }
  };
  snapshot_cluster cluster{{.machine = [] { return std::make_unique<throwing>(); }}};
  cluster.propose(3);
  const auto refused = cluster.take(cluster.leader());
  CHECK(refused.kind == outcome_kind::not_executed);
  CHECK(refused.detail.find("planted in a view") != std::string::npos);
  CHECK(cluster.health(cluster.leader()).healthy);
  cluster.propose(1);
}

TEST_CASE("a machine without snapshots says so, and its log stays whole") {
  snapshot_cluster cluster{{.machine = [] { return std::make_unique<without_snapshots>(); }}};
  cluster.propose(3);
  auto refused = cluster.take(cluster.leader());
  CHECK(refused.kind == outcome_kind::not_executed);
  CHECK(refused.reason == errc::snapshot_failed);
}

TEST_CASE("E-06 a full disk costs the snapshot and not the group, and the next try succeeds") {
  snapshot_cluster cluster{with_large_machines()};
  auto id = cluster.leader();
  cluster.propose(3);
  cluster.disk(id).on_call([](const disk_call& x) -> std::optional<error> {
    if (x.kind == disk_call::kind::write && x.name.starts_with("snap-"))
      return error{errc::no_space, "the disk is full"};
    return std::nullopt;
  });
  auto failed = cluster.take(id);
  CHECK(failed.reason == errc::snapshot_failed);
  CHECK(failed.detail.find("full") != std::string::npos);
  CHECK(cluster.snapshot_files(id).empty());
  cluster.propose(3);
  cluster.disk(id).on_call({});
  CHECK(cluster.take(id).kind == outcome_kind::committed);
}

} // namespace caucus::testing
