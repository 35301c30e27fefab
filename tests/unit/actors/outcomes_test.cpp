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
