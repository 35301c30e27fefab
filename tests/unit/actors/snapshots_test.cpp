// Snapshots in whole nodes: made, kept, loaded at a start, sent to who needs one; and the log gets
// shorter by them.

#include "persistence/segment_header.hpp"
#include "tests/support/elected_cluster.hpp"

namespace caucus::testing {

namespace {

using namespace std::chrono_literals;

/// As large as it is told to be, so that its snapshots are files.
class large_machine final : public state_machine {
public:
  apply_result apply(const apply_context&, const shared_bytes& command) override {
    state_.assign(state_.size(), command.view().front());
    ++count_;
    return shared_bytes::copy_of(std::to_string(count_));
  }
  [[nodiscard]] uint64_t digest() const override {
    return rng::mix(count_) ^ static_cast<uint8_t>(state_.front());
  }
  [[nodiscard]] std::string describe() const override { return std::to_string(count_); }
  [[nodiscard]] std::unique_ptr<snapshot_view> take_view() const override {
    struct view final : snapshot_view {
      explicit view(std::string x) : bytes{std::move(x)} {}
      result<void> write(snapshot_sink& into) const override {
        return into.write(std::as_bytes(std::span{bytes}));
      }
      std::string bytes;
    };
    return std::make_unique<view>(state_ + std::to_string(count_));
  }
  result<void> restore(snapshot_source& from) override {
    if (auto done = read_exactly(from, std::as_writable_bytes(std::span{state_})); !done)
      return done;
    std::string count(20, ' ');
    auto done = from.read(std::as_writable_bytes(std::span{count}));
    if (!done)
      return std::move(done).reason();
    count_ = std::stoull(count.substr(0, *done));
    return {};
  }

private:
  std::string state_ = std::string(1'000'000, '-');
  uint64_t count_ = 0;
};

class without_snapshots final : public state_machine {
public:
  apply_result apply(const apply_context&, const shared_bytes&) override { return shared_bytes{}; }
  [[nodiscard]] uint64_t digest() const override { return 0; }
};

struct snapshot_cluster : elected_cluster {
  explicit snapshot_cluster(options how = {}) : elected_cluster{std::move(how)} {}

  void propose(int count, char what = 'x') {
    REQUIRE(run_until([&] { return leader() != 0; }));
    for (int i = 0; i < count; ++i)
      REQUIRE(wait_for(client, client.propose(group(leader()), std::string(100, what))).kind
              == outcome_kind::committed);
  }
  outcome take(uint64_t id) { return wait_for(client, client.request(group(id), take_snapshot{})); }
  size_t segments(uint64_t id) {
    size_t count = 0;
    for (auto& name : disk(id).names())
      count += name.starts_with("wal-") ? 1 : 0;
    return count;
  }
  std::vector<std::string> snapshot_files(uint64_t id) {
    std::vector<std::string> files;
    for (auto& name : disk(id).names())
      if (name.starts_with("snap-"))
        files.push_back(name);
    return files;
  }
  /// A follower that is down, and would need what the others' logs don't have any more.
  uint64_t away_while_log_is_cut() {
    const auto away = follower();
    crash(away);
    REQUIRE(run_until([&] { return leader() != 0; }));
    for (int i = 0; i < 3; ++i) {
      propose(10);
      REQUIRE(take(leader()).kind == outcome_kind::committed);
    }
    return away;
  }
  size_t offers_to(uint64_t id) const { return log(id).count("event=snapshot_offered"); }
  bool is_level(uint64_t id) {
    auto mine = status(id);
    auto theirs = status(leader());
    return mine.applied == theirs.applied && mine.digest == theirs.digest;
  }

  recording_client client{system()};
};

virtual_cluster::options with_large_machines() {
  return {.machine = [] { return std::make_unique<large_machine>(); }};
}

/// Small segments, and a snapshot every few of them.
virtual_cluster::options with_short_logs() {
  return {.adjust = [](node_options& x) {
    x.segment_bytes = 64 << 10;
    x.snapshot_log_bytes = 20 << 10;
    x.snapshot_interval_ms = 0;
  }};
}

/// One snapshot takes 1.5 s, so that something can happen meanwhile.
virtual_cluster::options with_slow_transfers() {
  auto how = with_large_machines();
  how.adjust = [](node_options& x) { x.snapshot_bytes_per_second = 500'000; };
  return how;
}

} // namespace

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

TEST_CASE("who was away while the log was cut gets a snapshot and catches up") {
  for (bool is_large : {false, true}) {
    CAPTURE(is_large);
    snapshot_cluster cluster{is_large ? with_large_machines() : virtual_cluster::options{}};
    const auto away = cluster.away_while_log_is_cut();
    REQUIRE(cluster.start(away).ok());
    REQUIRE(cluster.run_until([&] { return cluster.is_level(away); }));
    CHECK(cluster.log(away).count("event=snapshot_received") == 1);
    CHECK(cluster.status(away).snapshot > 0);
    cluster.propose(10, 'y'); // And the log goes on behind it ...
    REQUIRE(cluster.run_until([&] { return cluster.is_level(away); }));
    cluster.crash(away); // ... also after a restart.
    REQUIRE(cluster.start(away).ok());
    REQUIRE(cluster.run_until([&] { return cluster.is_level(away); }));
  }
}

TEST_CASE("N-04 a transfer that is cut goes on where it was") {
  snapshot_cluster cluster{with_slow_transfers()};
  const auto away = cluster.away_while_log_is_cut();
  REQUIRE(cluster.start(away).ok());
  REQUIRE(cluster.run_until([&] { return cluster.offers_to(away) == 1; }));
  cluster.advance(700ms);
  cluster.network().cut_bulk(node_id{cluster.leader()}, node_id{away});
  REQUIRE(cluster.run_until([&] { return cluster.is_level(away); }, 120s));
  CHECK(cluster.offers_to(away) == 2);
  CHECK(cluster.log(away).count("resume_at=0") == 1);
  CHECK(cluster.log(away).count("event=snapshot_received") == 1);
}

TEST_CASE("N-04 a transfer whose chunks are lost is given up and goes on in another") {
  snapshot_cluster cluster{with_slow_transfers()};
  const auto away = cluster.away_while_log_is_cut();
  REQUIRE(cluster.start(away).ok());
  REQUIRE(cluster.run_until([&] { return cluster.offers_to(away) == 1; }));
  cluster.advance(1s);
  const node_id receiver{away};
  const node_id sender{cluster.leader()};
  cluster.network().silence(sender, receiver);
  cluster.advance(500ms); // Less than an election timeout.
  cluster.network().unsilence(sender, receiver);
  REQUIRE(cluster.run_until([&] { return cluster.is_level(away); }, 120s));
  CHECK(cluster.log(sender.value()).count("has said nothing of it for 10 s") == 1);
  CHECK(cluster.offers_to(away) == 2);
  CHECK(cluster.log(away).count("event=snapshot_received") == 1);
}

TEST_CASE("many groups' snapshots go to a peer a few at a time, and all arrive") {
  snapshot_cluster cluster{with_slow_transfers()};
  const auto away = cluster.follower();
  const auto sender = cluster.leader();
  constexpr int groups = 7;
  const auto open = [&](uint64_t id, int group) {
    return *cluster.node_of(id).create_group("g" + std::to_string(group), cluster.machine());
  };
  std::vector<group_actor> opened;
  for (int i = 0; i < groups; ++i) {
    std::map<uint64_t, group_actor> on;
    for (uint64_t id = 1; id <= 3; ++id)
      on[id] = open(id, i);
    opened.push_back(on[sender]);
    const auto leads = [&] { return cluster.status(opened.back()).leader; };
    REQUIRE(cluster.run_until([&] { return leads() != 0; }));
    if (leads() != sender) // All from one, whose limit this is about.
      cluster.wait_for(cluster.client,
                       cluster.client.request(on[leads()], transfer_leadership{sender}));
    REQUIRE(cluster.run_until([&] { return leads() == sender; }));
  }
  cluster.crash(away);
  for (int round = 0; round < 3; ++round)
    for (auto& x : opened) {
      REQUIRE(cluster.wait_for(cluster.client, cluster.client.propose(x, "x")).kind
              == outcome_kind::committed);
      REQUIRE(cluster.wait_for(cluster.client, cluster.client.request(x, take_snapshot{})).kind
              == outcome_kind::committed);
    }
  REQUIRE(cluster.start(away).ok());
  for (int i = 0; i < groups; ++i)
    open(away, i);
  const auto received = [&] { return cluster.log(away).count("event=snapshot_received"); };
  size_t most = 0;
  REQUIRE(cluster.run_until(
    [&] {
      most = std::max(most, cluster.offers_to(away) - received());
      return received() == groups;
    },
    120s));
  CHECK(most == 4);
  CHECK(cluster.log(sender).count("event=snapshot_sent") == groups);
}

TEST_CASE("E-05 a peer whose disk is full is offered a snapshot now and then, until it has room") {
  snapshot_cluster cluster{with_large_machines()};
  const auto away = cluster.away_while_log_is_cut();
  cluster.disk(away).on_call([](const disk_call& x) -> std::optional<error> {
    const bool is_snapshot = x.name.starts_with("snap-");
    if (x.kind == disk_call::kind::allocate || (is_snapshot && x.kind == disk_call::kind::write))
      return error{errc::no_space, "the disk is full"};
    return std::nullopt;
  });
  REQUIRE(cluster.start(away).ok());
  cluster.advance(20s);
  const auto refused = cluster.log(cluster.leader()).count("event=snapshot_not_sent");
  CHECK(refused >= 1);
  CHECK(refused <= 6); // Once in four election timeouts.
  CHECK(cluster.snapshot_files(away).empty());
  cluster.disk(away).on_call({});
  REQUIRE(cluster.run_until([&] { return cluster.is_level(away); }));
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
  REQUIRE(cluster.run_until([&] { return cluster.segments(cluster.leader()) <= 5; }));
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
  REQUIRE(cluster.run_until([&] { return cluster.segments(id) <= 5; }, 120s));
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
