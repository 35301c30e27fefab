// Any actor of a node may die: the node goes out of service loudly and stops cleanly; it never
// hangs, and never acknowledges what isn't durable. The others go on.

#include "tests/support/elected_cluster.hpp"

namespace caucus::testing {

namespace {

template <class Handle>
void check_death(Handle node_context::*victim, const char* name) {
  CAPTURE(name);
  virtual_cluster cluster{{}};
  cluster.start_all();
  REQUIRE(cluster.run_until([&] { return cluster.leader() != 0; }));
  auto leader = cluster.leader();
  auto& context = cluster.node_of(leader).context();
  caf::anon_send_exit(context.*victim, caf::exit_reason::kill);
  cluster.settle();
  CHECK_FALSE(cluster.health(leader).healthy);
  CHECK(cluster.health(leader).reason.find(name) != std::string::npos);

  recording_client client{cluster.system()};
  auto refused = client.propose(cluster.group(leader), "x");
  cluster.settle();
  REQUIRE(client.at(refused).has_value());
  CHECK(client.at(refused)->kind == outcome_kind::not_executed);
  auto late = cluster.node_of(leader).create_group("late", cluster.machine());
  REQUIRE_FALSE(late.ok());
  CHECK(late.reason().what.find(name) != std::string::npos);

  REQUIRE(cluster.run_until([&] { return cluster.leader() != 0 && cluster.leader() != leader; }));
  auto elsewhere = client.propose(cluster.group(cluster.leader()), "y");
  REQUIRE(cluster.run_until([&] { return client.at(elsewhere).has_value(); }));
  CHECK(client.at(elsewhere)->kind == outcome_kind::committed);

  cluster.stop(leader); // Ends, and the directory is free for the next start.
  REQUIRE(cluster.start(leader).ok());
  CHECK(cluster.run_until([&] { return cluster.status(leader).machine == "{\"count\":1}"; }));
}

/// The replicas of a node. Those of the application's groups are known to nobody else.
std::vector<replica_actor> replicas_of(virtual_cluster& cluster, uint64_t id) {
  std::vector<replica_actor> found;
  cluster.node_of(id).context().routes.for_each([&](auto& one) { found.push_back(one); });
  return found;
}

/// Throws wherever the application's code is asked for something but a command.
class broken_machine final : public state_machine {
public:
  enum class part : uint8_t { applied_index, digest };
  explicit broken_machine(part where) : where_{where} {}

  apply_result apply(const apply_context&, const shared_bytes&) override { return shared_bytes{}; }
  [[nodiscard]] std::optional<index_t> applied_index() const override {
    if (where_ == part::applied_index)
      throw std::runtime_error{"told to throw"};
    return std::nullopt;
  }
  [[nodiscard]] uint64_t digest() const override {
    if (where_ == part::digest)
      throw std::runtime_error{"told to throw"};
    return 0;
  }

private:
  part where_;
};

} // namespace

TEST_CASE("the death of the supervisor takes the node out of service, not the cluster") {
  check_death(&node_context::supervisor, "supervisor");
}

TEST_CASE(
  "A-01 a replica that dies ends its group on its node: callers are told, the others live") {
  elected_cluster cluster;
  recording_client client{cluster.system()};
  auto leader = cluster.leader();
  auto victim = replicas_of(cluster, leader).front();
  std::map<uint64_t, group_actor> others;
  for (uint64_t id = 1; id <= 3; ++id)
    others.emplace(id, *cluster.node_of(id).create_group("other", cluster.machine()));
  for (uint64_t id = 1; id <= 3; ++id)
    if (id != leader)
      cluster.network().cut(node_id{id}, node_id{leader});
  auto waiting = client.propose(cluster.group(leader), "waits in the replica");
  cluster.settle();
  REQUIRE_FALSE(client.at(waiting).has_value());
  caf::anon_send_exit(victim, caf::exit_reason::kill);
  auto queued = client.propose(cluster.group(leader), "waits in the mailbox");
  cluster.settle();
  for (auto position : {waiting, queued}) {
    REQUIRE(client.at(position).has_value());
    CHECK(client.at(position)->kind != outcome_kind::committed);
  }
  CHECK(client.at(waiting)->kind == outcome_kind::unknown);

  auto status = cluster.status(leader);
  CHECK(status.role == "quarantined");
  CHECK(status.group == "tally");
  CHECK(status.node == leader);
  CHECK(status.fault.find("died") != std::string::npos);
  auto refused = cluster.wait_for(client, client.propose(cluster.group(leader), "x"));
  CHECK(refused.kind == outcome_kind::not_executed);
  CHECK(refused.detail.find("quarantined") != std::string::npos);
  CHECK(cluster.log(leader).count("event=quarantined") == 1);
  CHECK(cluster.health(leader).healthy);

  for (uint64_t id = 1; id <= 3; ++id)
    if (id != leader)
      cluster.network().heal(node_id{id}, node_id{leader});
  REQUIRE(cluster.run_until([&] { return cluster.status(others[leader]).leader != 0; }));
  auto lives = cluster.wait_for(client, client.propose(others[leader], "x"));
  CHECK(lives.kind == outcome_kind::committed);

  others.clear();
  cluster.stop(leader);
  REQUIRE(cluster.start(leader).ok()); // Quarantine isn't durable.
  CHECK(cluster.run_until([&] { return cluster.status(leader).leader != 0; }));
}

TEST_CASE(
  "A-01 a machine that throws when asked for its status quarantines its group, and says so") {
  for (auto where : {broken_machine::part::applied_index, broken_machine::part::digest}) {
    virtual_cluster cluster{
      {.nodes = 1, .machine = [where] { return std::make_unique<broken_machine>(where); }}};
    cluster.start_all();
    CHECK(cluster.status(1).role == "quarantined"); // Else it was never answered.
    auto status = cluster.status(1);
    CHECK(status.role == "quarantined");
    CHECK(status.fault.find("told to throw") != std::string::npos);
    CHECK(cluster.health(1).healthy);
  }
}

TEST_CASE("a listener hears that a quarantined replica knows no leader") {
  elected_cluster cluster;
  auto news = std::make_shared<std::vector<leader_changed>>();
  auto listener = cluster.system().spawn(
    [](leader_listener::pointer,
       const std::shared_ptr<std::vector<leader_changed>>& kept) -> leader_listener::behavior_type {
      return {[kept](const leader_changed& x) { kept->push_back(x); }};
    },
    news);
  auto leader = cluster.leader();
  caf::anon_send(cluster.group(leader), listener);
  cluster.settle();
  recording_client client{cluster.system()};
  cluster.wait_for(client, client.propose(cluster.group(leader), "throw"));
  cluster.settle();
  REQUIRE(news->size() == 2);
  CHECK(news->front().leader == leader);
  CHECK(news->back().leader == 0);
  CHECK(news->back().term == news->front().term);
  caf::anon_send_exit(listener, caf::exit_reason::user_shutdown);
}

TEST_CASE("what waited in the mailbox of a replica that dies takes no room from other groups") {
  elected_cluster cluster;
  auto leader = cluster.leader();
  auto victim = replicas_of(cluster, leader).front();
  auto& room = *cluster.node_of(leader).context().uncommitted;
  caf::anon_send_exit(victim, caf::exit_reason::kill);
  for (int i = 0; i < 3; ++i) // Behind that in the mailbox.
    caf::anon_send(cluster.group(leader), numbered(0, 0, std::string(1000, 'x')));
  CHECK(room.used() >= 3000);
  cluster.settle();
  CHECK(room.used() == 0);
}

TEST_CASE("A-02 the death of the WAL writer takes the node out of service, not the cluster") {
  check_death(&node_context::wal, "wal_writer");
}

TEST_CASE("the death of the log reader takes the node out of service, not the cluster") {
  check_death(&node_context::reader, "log_reader");
}

TEST_CASE("A-04 the death of the transport takes the node out of service, not the cluster") {
  check_death(&node_context::sender, "transport");
}

TEST_CASE("the death of the pulse takes the node out of service, not the cluster") {
  check_death(&node_context::pulse, "pulse");
}

} // namespace caucus::testing
