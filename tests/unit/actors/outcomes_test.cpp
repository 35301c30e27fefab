// What a caller is told when a replica ends, or a machine remembers more than its log was replayed.

#include "tests/support/elected_cluster.hpp"

namespace caucus::testing {

namespace {

/// What a machine keeps on its own disk.
struct kept_tally {
  uint64_t count = 0;
  index_t applied;
};

/// Its state survives the node, so a restart executes only what is missing.
class durable_machine final : public state_machine {
public:
  explicit durable_machine(std::shared_ptr<kept_tally> disk) : disk_{std::move(disk)} {}

  apply_result apply(const apply_context& context, const shared_bytes&) override {
    CHECK(context.index > disk_->applied);
    disk_->applied = context.index;
    return shared_bytes::copy_of(std::to_string(++disk_->count));
  }
  [[nodiscard]] uint64_t digest() const override { return disk_->count; }
  [[nodiscard]] std::string describe() const override { return std::to_string(disk_->count); }
  [[nodiscard]] std::optional<index_t> applied_index() const override { return disk_->applied; }

private:
  std::shared_ptr<kept_tally> disk_;
};

struct durable_cluster {
  std::vector<std::shared_ptr<kept_tally>> disks;
  size_t started = 0;
  elected_cluster cluster{{.machine = [this] {
    // Nodes start in the order of their ids, every time.
    if (disks.size() < 3)
      disks.push_back(std::make_shared<kept_tally>());
    return std::make_unique<durable_machine>(disks[started++ % 3]);
  }}};

  void restart_all() {
    for (uint64_t id = 1; id <= 3; ++id)
      cluster.stop(id);
    cluster.start_all();
    REQUIRE(cluster.run_until([&] { return cluster.leader() != 0; }));
  }
};

} // namespace

TEST_CASE("A-12 a forwarded command is unknown when its node stops: the leader may execute it") {
  elected_cluster cluster{{.adjust = [](node_options& x) { x.drain_timeout_ms = 1; }}};
  auto leader = cluster.leader();
  auto origin = cluster.follower();
  recording_client client{cluster.system()};
  cluster.network().silence(node_id{leader}, node_id{origin}); // "accepted" never comes back.
  auto position = client.propose(cluster.group(origin), "x");
  REQUIRE(cluster.run_until([&] { return cluster.status(leader).machine == "{\"count\":1}"; }));
  REQUIRE_FALSE(client.at(position).has_value());
  cluster.stop(origin);
  auto told = cluster.wait_for(client, position);
  CHECK(told.kind == outcome_kind::unknown);
}

TEST_CASE("a forwarded command is unknown when its origin is quarantined") {
  elected_cluster cluster;
  auto leader = cluster.leader();
  auto origin = cluster.follower();
  recording_client client{cluster.system()};
  cluster.network().silence(node_id{leader}, node_id{origin});
  auto position = client.propose(cluster.group(origin), "x");
  REQUIRE(cluster.run_until([&] { return cluster.status(leader).machine == "{\"count\":1}"; }));
  caf::anon_send_exit(cluster.node_of(origin).context().wal, caf::exit_reason::kill);
  auto told = cluster.wait_for(client, position);
  CHECK(told.kind == outcome_kind::unknown);
}

TEST_CASE("M-05 whoever asked a node that is removed meanwhile hears promptly what can be known") {
  size_t left = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    elected_cluster cluster{{.seed = seed}};
    recording_client client{cluster.system()};
    // A follower that sends on, or the leader itself.
    auto gone = seed % 2 == 0 ? cluster.leader() : cluster.follower();
    auto position = client.request(
      cluster.group(cluster.leader()),
      change_members{.changes = {{.kind = member_change_kind::remove, .node = gone}}});
    std::vector<size_t> asked;
    for (int i = 0; i < 40; ++i) {
      asked.push_back(client.propose(cluster.group(gone), "x"));
      asked.push_back(client.request(cluster.group(gone), query{}));
      for (int steps = 0; steps < 5; ++steps)
        cluster.step();
    }
    // Far less than the deadline of a command.
    REQUIRE(cluster.run_until([&] { return client.answered() == 1 + asked.size(); },
                              std::chrono::milliseconds{3500}));
    uint64_t executed = 0;
    uint64_t unknown = 0;
    for (size_t i = 0; i < asked.size(); i += 2) {
      auto& told = *client.at(asked[i]);
      executed += told.kind == outcome_kind::committed ? 1 : 0;
      unknown += told.kind == outcome_kind::unknown ? 1 : 0;
      left += told.reason == errc::left_group ? 1 : 0;
      CHECK(client.at(asked[i + 1])->kind != outcome_kind::unknown); // A query changes nothing.
    }
    CHECK(client.at(position)->kind == outcome_kind::committed);
    // A leader that was removed hands over first.
    REQUIRE(cluster.run_until([&] { return cluster.status(gone).role != "leader"; }));
    auto after = cluster.wait_for(client, client.propose(cluster.group(gone), "x"));
    CHECK(after.reason == errc::not_member);
    CHECK(after.kind == outcome_kind::not_executed);
    // Nothing that was called refused was executed.
    REQUIRE(cluster.run_until([&] { return cluster.leader() != 0 && cluster.leader() != gone; }));
    auto counted =
      cluster.wait_for(client, client.request(cluster.group(cluster.leader()), query{}));
    const auto count = std::stoull(std::string{counted.reply.view()});
    CHECK(count >= executed);
    CHECK(count <= executed + unknown);
  }
  CHECK(left > 0);
}

TEST_CASE("a machine that keeps its own state executes nothing twice, and sessions live on") {
  durable_cluster it;
  auto& cluster = it.cluster;
  recording_client client{cluster.system()};
  auto session = cluster.wait_for(client, client.open(cluster.group(1))).session;
  auto leader = cluster.leader();
  for (uint64_t i = 1; i <= 3; ++i)
    CHECK(cluster.wait_for(client, client.propose(cluster.group(leader), numbered(session, i, "x")))
            .kind
          == outcome_kind::committed);
  cluster.advance(std::chrono::seconds{1}); // Everybody has executed all.
  it.restart_all();

  // Executed for certain, by replicas that no longer know what they replied.
  auto retry = cluster.wait_for(
    client, client.propose(cluster.group(cluster.leader()), numbered(session, 2, "x")));
  CHECK(retry.kind == outcome_kind::unknown);
  CHECK(retry.reason == errc::reply_lost);
  auto next = cluster.wait_for(
    client, client.propose(cluster.group(cluster.leader()), numbered(session, 4, "x")));
  CHECK(next.kind == outcome_kind::committed);
  CHECK(next.reply.view() == "4");
  cluster.advance(std::chrono::seconds{1});
  for (uint64_t id = 1; id <= 3; ++id)
    CHECK(cluster.status(id).machine == "4");
}

TEST_CASE("a closed session makes room for another, on every node") {
  elected_cluster cluster{{.adjust = [](node_options& x) { x.sessions_max = 1; }}};
  recording_client client{cluster.system()};
  auto first = cluster.wait_for(client, client.open(cluster.group(1))).session;
  CHECK(cluster.wait_for(client, client.open(cluster.group(2))).reason == errc::sessions_exhausted);
  CHECK(cluster.wait_for(client, client.close(cluster.group(2), first)).kind
        == outcome_kind::committed);
  CHECK(cluster.wait_for(client, client.open(cluster.group(3))).session != 0);
  auto late = cluster.wait_for(client, client.propose(cluster.group(1), numbered(first, 1, "x")));
  CHECK(late.kind == outcome_kind::not_executed);
  CHECK(late.reason == errc::session_expired);
  auto again = cluster.wait_for(client, client.close(cluster.group(1), first));
  CHECK(again.kind == outcome_kind::not_executed);
  CHECK(again.reason == errc::session_expired);
}

TEST_CASE("a deadline beyond all time is the longest there is, not one in the past") {
  elected_cluster cluster;
  auto leader = cluster.leader();
  for (uint64_t id = 1; id <= 3; ++id)
    if (id != leader)
      cluster.network().cut(node_id{id}, node_id{leader});
  recording_client client{cluster.system()};
  command what;
  what.timeout_ms = UINT64_MAX;
  what.payload = shared_bytes::copy_of("x");
  auto position = client.propose(cluster.group(leader), what);
  cluster.advance(std::chrono::milliseconds{300});
  CHECK_FALSE(client.at(position).has_value());
}

} // namespace caucus::testing
