// What a user of a group sees, on whole nodes in virtual time.

#include "tests/support/elected_cluster.hpp"

namespace caucus::testing {

namespace {

using namespace std::chrono_literals;

using leader_news = std::shared_ptr<std::vector<leader_changed>>;

leader_listener spawn_listener(virtual_cluster& cluster, leader_news news) {
  return cluster.system().spawn(
    [](leader_listener::pointer, const leader_news& kept) -> leader_listener::behavior_type {
      return {[kept](const leader_changed& x) { kept->push_back(x); }};
    },
    std::move(news));
}

} // namespace
} // namespace caucus::testing

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<std::vector<caucus::leader_changed>>)

namespace caucus::testing {

TEST_CASE(
  "a command may be sent to any node: followers pass it on and answer from their own apply") {
  elected_cluster cluster;
  recording_client client{cluster.system()};
  for (uint64_t id = 1; id <= 3; ++id) {
    auto result = cluster.wait_for(client, client.propose(cluster.group(id), "x"));
    CHECK(result.kind == outcome_kind::committed);
    CHECK(result.reply.view() == std::to_string(id));
  }
}

TEST_CASE("with forwarding off a follower names the leader instead") {
  elected_cluster cluster{{.adjust = [](node_options& x) { x.forward_proposals = false; }}};
  recording_client client{cluster.system()};
  auto result = cluster.wait_for(client, client.propose(cluster.group(cluster.follower()), "x"));
  CHECK(result.kind == outcome_kind::not_executed);
  CHECK(result.reason == errc::not_leader);
  CHECK(result.leader == cluster.leader());
}

TEST_CASE("P-21 a retry under its session gets the first reply, also after all nodes restarted") {
  elected_cluster cluster;
  recording_client client{cluster.system()};
  auto session = cluster.wait_for(client, client.open(cluster.group(1))).session;
  REQUIRE(session != 0);
  auto first =
    cluster.wait_for(client, client.propose(cluster.group(1), numbered(session, 1, "a")));
  CHECK(first.reply.view() == "1");
  for (uint64_t id = 1; id <= 3; ++id)
    cluster.crash(id);
  cluster.start_all();
  REQUIRE(cluster.run_until([&] { return cluster.leader() != 0; }));
  auto again =
    cluster.wait_for(client, client.propose(cluster.group(2), numbered(session, 1, "a")));
  CHECK(again.kind == outcome_kind::committed);
  CHECK(again.reply.view() == "1");
  auto next = cluster.wait_for(client, client.propose(cluster.group(2), numbered(session, 2, "b")));
  CHECK(next.reply.view() == "2");
}

TEST_CASE("a gap in a session is refused and names where to go on") {
  elected_cluster cluster;
  recording_client client{cluster.system()};
  auto session = cluster.wait_for(client, client.open(cluster.group(1))).session;
  auto early =
    cluster.wait_for(client, client.propose(cluster.group(1), numbered(session, 3, "c")));
  CHECK(early.kind == outcome_kind::not_executed);
  CHECK(early.reason == errc::session_gap);
  CHECK(early.expected == 1);
}

TEST_CASE("an expired session's command is never executed") {
  elected_cluster cluster{{.adjust = [](node_options& x) { x.session_timeout_ms = 1000; }}};
  recording_client client{cluster.system()};
  auto session = cluster.wait_for(client, client.open(cluster.group(1))).session;
  cluster.advance(2s);
  auto late = cluster.wait_for(client, client.propose(cluster.group(1), numbered(session, 1, "x")));
  CHECK(late.kind == outcome_kind::not_executed);
  CHECK(late.reason == errc::session_expired);
  CHECK(cluster.status(cluster.leader()).machine == "{\"count\":0}");
}

TEST_CASE("beyond the bound no session is opened") {
  elected_cluster cluster{{.adjust = [](node_options& x) { x.sessions_max = 2; }}};
  recording_client client{cluster.system()};
  CHECK(cluster.wait_for(client, client.open(cluster.group(1))).session != 0);
  CHECK(cluster.wait_for(client, client.open(cluster.group(1))).session != 0);
  CHECK(cluster.wait_for(client, client.open(cluster.group(1))).reason == errc::sessions_exhausted);
}

TEST_CASE("a command that the machine refuses is not executed, and says why") {
  elected_cluster cluster;
  recording_client client{cluster.system()};
  auto result = cluster.wait_for(client, client.propose(cluster.group(1), "refuse"));
  CHECK(result.kind == outcome_kind::not_executed);
  CHECK(result.reason == errc::rejected_by_machine);
  CHECK(result.detail == "told to refuse");
}

TEST_CASE(
  "A-01 a machine that throws quarantines its group with the reason and the node lives on") {
  elected_cluster cluster;
  recording_client client{cluster.system()};
  auto leader = cluster.leader();
  auto result = cluster.wait_for(client, client.propose(cluster.group(leader), "throw"));
  CHECK(result.kind == outcome_kind::unknown);
  auto status = cluster.status(leader);
  CHECK(status.role == "quarantined");
  CHECK(status.fault.find("told to throw") != std::string::npos);
  CHECK(cluster.health(leader).healthy);
  auto refused = cluster.wait_for(client, client.propose(cluster.group(leader), "x"));
  CHECK(refused.kind == outcome_kind::not_executed);

  group_actor other;
  for (uint64_t id = 1; id <= 3; ++id) {
    auto made = cluster.node_of(id).create_group("other", cluster.machine());
    REQUIRE(made.ok());
    other = id == leader ? *made : other;
  }
  auto elsewhere = cluster.wait_for(client, client.propose(other, "x"));
  while (elsewhere.reason == errc::no_leader) {
    cluster.advance(100ms);
    elsewhere = cluster.wait_for(client, client.propose(other, "x"));
  }
  CHECK(elsewhere.kind == outcome_kind::committed);
}

TEST_CASE("S-35 without a majority a command's outcome is unknown at its deadline, never refused") {
  elected_cluster cluster;
  auto leader = cluster.leader();
  for (uint64_t id = 1; id <= 3; ++id)
    if (id != leader)
      cluster.crash(id);
  recording_client client{cluster.system()};
  command what;
  what.timeout_ms = 700;
  what.payload = shared_bytes::copy_of("x");
  auto result = cluster.wait_for(client, client.propose(cluster.group(leader), what));
  CHECK(result.kind == outcome_kind::unknown);
  CHECK(result.reason == errc::timeout);
}

TEST_CASE("a deposed leader answers committed if the entry survives its leadership") {
  elected_cluster cluster;
  auto leader = cluster.leader();
  recording_client client{cluster.system()};
  // The followers get and keep the entry, but the leader hears nothing of it.
  for (uint64_t id = 1; id <= 3; ++id)
    if (id != leader)
      cluster.network().silence(node_id{id}, node_id{leader});
  auto position = client.propose(cluster.group(leader), "survives");
  REQUIRE(cluster.run_until([&] { return cluster.status(leader).role != "leader"; }));
  CHECK_FALSE(client.at(position).has_value());
  for (uint64_t id = 1; id <= 3; ++id)
    cluster.network().unsilence(node_id{id}, node_id{leader});
  auto result = cluster.wait_for(client, position);
  CHECK(result.kind == outcome_kind::committed);
}

TEST_CASE("a caller that cancels is told unknown and its room is free") {
  elected_cluster cluster{{.adjust = [](node_options& x) { x.waiting_commands_max = 1; }}};
  auto leader = cluster.leader();
  for (uint64_t id = 1; id <= 3; ++id)
    if (id != leader)
      cluster.network().cut(node_id{id}, node_id{leader});
  recording_client client{cluster.system()};
  auto first = client.propose(cluster.group(leader), numbered(0, 7, "x"));
  cluster.settle();
  auto second = cluster.wait_for(client, client.propose(cluster.group(leader), "y"));
  CHECK(second.reason == errc::proposal_dropped);
  CHECK(second.kind == outcome_kind::not_executed);
  client.cancel(cluster.group(leader), {0, 7});
  auto result = cluster.wait_for(client, first);
  CHECK(result.kind == outcome_kind::unknown);
  CHECK(result.reason == errc::cancelled);
  auto third = client.propose(cluster.group(leader), "z");
  cluster.settle();
  CHECK_FALSE(client.at(third).has_value());
}

TEST_CASE("P-18 a command over the limit is refused before it reaches the log") {
  elected_cluster cluster{{.adjust = [](node_options& x) { x.proposal_bytes_max = 10; }}};
  recording_client client{cluster.system()};
  auto result = cluster.wait_for(client, client.propose(cluster.group(1), "more than ten"));
  CHECK(result.kind == outcome_kind::not_executed);
  CHECK(result.reason == errc::proposal_too_large);
}

TEST_CASE("A-07 bytes waiting over the group's limit are dropped on the sender's side") {
  elected_cluster cluster{{.adjust = [](node_options& x) { x.uncommitted_bytes_max = 8192; }}};
  auto leader = cluster.leader();
  for (uint64_t id = 1; id <= 3; ++id)
    if (id != leader)
      cluster.network().cut(node_id{id}, node_id{leader});
  recording_client client{cluster.system()};
  for (int i = 0; i < 20; ++i)
    client.propose(cluster.group(leader), std::string(1000, 'x'));
  cluster.settle();
  CHECK(client.answered() >= 12);
  CHECK(client.at(19)->reason == errc::proposal_dropped);
}

TEST_CASE("proposals of other nodes go into the log in batches of bounded size") {
  elected_cluster cluster;
  auto leader = cluster.leader();
  auto& context = cluster.node_of(leader).context();
  auto before = context.log_batches.load();
  group_received batch{node_id{cluster.follower()}, {}, nullptr};
  for (uint64_t i = 0; i < 32; ++i)
    batch.messages.emplace_back(raft::forward_proposal{
      request_id{1000 + i}, {.payload = shared_bytes::copy_of(std::string(1 << 20, 'x'))}});
  context.routes.for_each(
    [&](const replica_actor& replica) { caf::anon_send(replica, std::move(batch)); });
  cluster.settle();
  CHECK(context.log_batches.load() - before >= 8);
}

TEST_CASE("a listener gets the current leader first, then every change once, in order") {
  elected_cluster cluster;
  auto watched = cluster.follower();
  auto news = std::make_shared<std::vector<leader_changed>>();
  auto listener = spawn_listener(cluster, news);
  caf::anon_send(cluster.group(watched), listener);
  cluster.settle();
  REQUIRE(news->size() == 1);
  CHECK(news->front().leader == cluster.leader());
  for (int round = 0; round < 3; ++round) {
    auto leader = cluster.leader();
    if (leader == watched)
      break;
    cluster.crash(leader);
    REQUIRE(cluster.run_until([&] { return cluster.leader() != 0; }));
    REQUIRE(cluster.start(leader).ok());
  }
  cluster.settle();
  CHECK(news->size() >= 3);
  for (size_t i = 1; i < news->size(); ++i) {
    auto& before = (*news)[i - 1];
    auto& now = (*news)[i];
    CHECK(std::pair(before.term, before.leader) != std::pair(now.term, now.leader));
    CHECK(before.term <= now.term);
    if (before.term == now.term && before.leader != 0) // Within a term a leader is only lost.
      CHECK(now.leader == 0);
  }
  CHECK(news->back().leader == cluster.leader());
  caf::anon_send_exit(listener, caf::exit_reason::user_shutdown);
}

TEST_CASE(
  "E-01 after a failed sync the node acknowledges nothing, says why, and the others go on") {
  elected_cluster cluster;
  auto leader = cluster.leader();
  cluster.disk(leader).on_call([](const disk_call& call) -> std::optional<error> {
    if (call.kind == disk_call::kind::sync)
      return error{errc::io_failed, "planted EIO"};
    return std::nullopt;
  });
  recording_client client{cluster.system()};
  auto position = client.propose(cluster.group(leader), "x");
  auto result = cluster.wait_for(client, position);
  CHECK(result.kind == outcome_kind::unknown);
  CHECK_FALSE(cluster.health(leader).healthy);
  CHECK(cluster.health(leader).reason.find("planted EIO") != std::string::npos);
  CHECK(cluster.status(leader).role == "quarantined");
  REQUIRE(cluster.run_until([&] { return cluster.leader() != 0 && cluster.leader() != leader; }));
  auto after = cluster.wait_for(client, client.propose(cluster.group(cluster.leader()), "y"));
  CHECK(after.kind == outcome_kind::committed);
}

TEST_CASE("O-08 a member whose directory was wiped is refused by its peers until told otherwise") {
  std::set<node_id> accepted;
  elected_cluster cluster{{.adjust = [&](node_options& x) { x.accept_directories = accepted; }}};
  auto wiped = cluster.follower();
  cluster.crash(wiped);
  for (auto& name : cluster.disk(wiped).names())
    cluster.disk(wiped).erase(name);
  cluster.change_directory_of(wiped);
  REQUIRE(cluster.start(wiped).ok());
  cluster.advance(5s);
  CHECK(cluster.status(wiped).leader == 0);
  CHECK(cluster.status(wiped).last == 0);
  accepted = {node_id{wiped}};
  for (uint64_t id = 1; id <= 3; ++id)
    if (id != wiped) {
      cluster.stop(id);
      REQUIRE(cluster.start(id).ok());
    }
  cluster.network().redial();
  CHECK(cluster.run_until([&] { return cluster.status(wiped).leader != 0; }));
}

TEST_CASE("an orderly stop lets running commands finish") {
  elected_cluster cluster;
  recording_client client{cluster.system()};
  for (int i = 0; i < 10; ++i)
    client.propose(cluster.group(cluster.leader()), "x");
  for (int i = 0; i < 30; ++i)
    cluster.step();
  auto leader = cluster.leader();
  auto group = cluster.group(leader);
  cluster.stop(leader);
  CHECK(client.committed() == 10);
  auto late = cluster.wait_for(client, client.propose(group, "late"));
  CHECK(late.kind != outcome_kind::committed);
}

TEST_CASE("S-34 a node that restarts serves only what it can prove and catches up") {
  elected_cluster cluster{{.adjust = [](node_options& x) { x.tail_bytes_max = 1024; }}};
  auto away = cluster.follower();
  cluster.crash(away);
  REQUIRE(cluster.run_until([&] { return cluster.leader() != 0; }));
  recording_client client{cluster.system()};
  for (int i = 0; i < 500; ++i)
    client.propose(cluster.group(cluster.leader()), std::string(100, 'x'));
  REQUIRE(cluster.run_until([&] { return client.answered() == 500; }));
  CHECK(client.committed() == 500);
  REQUIRE(cluster.start(away).ok());
  // What it missed has long left the leader's memory: it comes from the leader's log.
  CHECK(cluster.run_until([&] { return cluster.status(away).machine == "{\"count\":500}"; }));
}

} // namespace caucus::testing
