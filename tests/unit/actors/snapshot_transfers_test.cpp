// Snapshots in whole nodes: sent to who needs one, however the network and disks are.

#include "tests/unit/actors/snapshot_cluster.hpp"

namespace caucus::testing {

using namespace std::chrono_literals;

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

TEST_CASE("both ends of a transfer show how far it has come, until it ends") {
  snapshot_cluster cluster{with_slow_transfers()};
  const auto away = cluster.away_while_log_is_cut();
  const auto sender = cluster.leader();
  const auto shown = [&](uint64_t id) { return cluster.status(id).transfers; };
  CHECK(shown(sender).empty());
  REQUIRE(cluster.start(away).ok());
  REQUIRE(cluster.run_until([&] { return cluster.offers_to(away) == 1; }));
  uint64_t before = 0;
  for (int i = 0; i < 2; ++i) {
    cluster.advance(530ms); // For a chunk.
    const auto sent = shown(sender);
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].peer == away);
    CHECK_FALSE(sent[0].is_incoming);
    CHECK(sent[0].index == cluster.status(sender).snapshot);
    CHECK(sent[0].bytes > before);
    CHECK(sent[0].bytes < sent[0].file_bytes);
    CHECK(sent[0].file_bytes > 1'000'000);
    before = sent[0].bytes;
    const auto received = shown(away);
    REQUIRE(received.size() == 1);
    CHECK(received[0].peer == sender);
    CHECK(received[0].is_incoming);
    CHECK(received[0].index == sent[0].index);
    CHECK(received[0].bytes >= sent[0].bytes); // The sender hears of it afterwards.
    CHECK(received[0].bytes < received[0].file_bytes);
    CHECK(received[0].file_bytes == sent[0].file_bytes);
  }
  cluster.network().cut_bulk(node_id{sender}, node_id{away});
  cluster.settle();
  CHECK(shown(sender).empty());
  CHECK(shown(away).empty());
  REQUIRE(cluster.run_until([&] { return shown(away).size() == 1; }));
  CHECK(shown(away)[0].bytes >= before); // It goes on where it was.
  REQUIRE(cluster.run_until([&] { return cluster.is_level(away); }, 120s));
  CHECK(shown(sender).empty());
  CHECK(shown(away).empty());
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

TEST_CASE("N-04 a new leader's snapshot begins anew, whatever has come of the old one's") {
  snapshot_cluster cluster{with_slow_transfers()};
  const auto away = cluster.follower();
  cluster.crash(away);
  REQUIRE(cluster.run_until([&] { return cluster.leader() != 0; }));
  const auto old = cluster.leader();
  const auto next = 6 - away - old;
  for (int i = 0; i < 3; ++i) { // So that neither has the log any more.
    cluster.propose(10);
    REQUIRE(cluster.run_until([&] { return cluster.is_level(next); }));
    for (auto id : {old, next})
      REQUIRE(cluster.take(id).kind == outcome_kind::committed);
  }
  REQUIRE(cluster.start(away).ok());
  REQUIRE(cluster.run_until([&] { return cluster.offers_to(away) == 1; }));
  cluster.advance(1100ms); // Two chunks.
  cluster.crash(old);
  REQUIRE(cluster.run_until([&] { return cluster.leader() == next; }, 60s));
  REQUIRE(cluster.run_until([&] { return cluster.is_level(away); }, 60s));
  CHECK(cluster.offers_to(away) == 2);
  CHECK(cluster.log(away).count("resume_at=0") == 2);
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
  cluster.advance(600ms); // Longer than one chunk takes, less than an election timeout.
  cluster.network().unsilence(sender, receiver);
  REQUIRE(cluster.run_until([&] { return cluster.is_level(away); }, 120s));
  CHECK(cluster.log(sender.value()).count("has said nothing of it for 10 s") == 1);
  CHECK(cluster.offers_to(away) == 2);
  CHECK(cluster.log(away).count("event=snapshot_received") == 1);
}

TEST_CASE("who reads a snapshot for a backup keeps to the rate of transfers") {
  snapshot_cluster cluster{with_slow_transfers()}; // 500,000 bytes a second.
  cluster.propose(1);
  const auto id = cluster.leader();
  const auto taken = cluster.take(id);
  REQUIRE(taken.kind == outcome_kind::committed);
  const auto now = [&] { return cluster.system().clock().now(); };
  const auto begin = now();
  uint64_t bytes = 0;
  for (uint64_t part = 1; part != 0; bytes += part) {
    const auto told = cluster.wait_for(
      cluster.client, cluster.client.request(cluster.group(id), read_snapshot{taken.index, bytes}));
    REQUIRE(told.kind == outcome_kind::committed);
    part = told.reply.size();
  }
  CHECK(bytes > 1'000'000);
  CHECK(now() - begin > 1800ms); // A little may have been saved up.
  CHECK(now() - begin < 3s);
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
  int paused = 0;
  REQUIRE(cluster.run_until(
    [&] {
      const auto offers = cluster.offers_to(away);
      most = std::max(most, offers - received());
      paused += received() > 0 && offers < groups && offers - received() < 4 ? 1 : 0;
      return received() == groups;
    },
    120s));
  CHECK(most == 4);
  CHECK(paused < 20); // Of 5 ms: whoever waits comes next, before it is asked for again.
  CHECK(cluster.log(sender).count("event=snapshot_sent") == groups);
}

TEST_CASE("E-11 a snapshot that turns out to be damaged isn't offered again: another one is") {
  snapshot_cluster cluster{with_large_machines()};
  const auto away = cluster.away_while_log_is_cut();
  const auto sender = cluster.leader();
  const auto files = cluster.snapshot_files(sender);
  REQUIRE(files.size() == 2);
  const std::byte wrong{'!'};
  auto damaged = uint64_t{1};
  SUBCASE("in its content") { cluster.disk(sender).overwrite(files.back(), 500'000, {&wrong, 1}); }
  SUBCASE("in its header") { cluster.disk(sender).overwrite(files.back(), 20, {&wrong, 1}); }
  SUBCASE("where the disk can't read it") {
    cluster.disk(sender).on_call(
      [name = files.back(), is_bad = true](const disk_call& x) mutable -> std::optional<error> {
        if (x.kind == disk_call::kind::create && x.name.starts_with("snap-"))
          is_bad = false; // Another file is made elsewhere, and gets the name.
        if (is_bad && x.kind == disk_call::kind::read && x.name == name)
          return error{errc::io_failed, "cannot read " + name};
        return std::nullopt;
      });
  }
  SUBCASE("like the one before it") {
    for (const auto& file : files)
      cluster.disk(sender).overwrite(file, 500'000, {&wrong, 1});
    damaged = 2;
  }
  REQUIRE(cluster.start(away).ok());
  // No command meanwhile: the log doesn't grow.
  REQUIRE(cluster.run_until([&] { return cluster.is_level(away); }, 60s));
  CHECK(cluster.log(away).count("event=snapshot_received") == 1);
  CHECK(cluster.log(sender).count("event=snapshot_damaged") >= 1);
  CHECK(cluster.log(sender).count("event=snapshot_damaged") <= damaged);
  CHECK(cluster.offers_to(away) <= 1 + damaged);
  // What was made in its place is sound, and of the damaged files none stays for long.
  cluster.disk(sender).on_call(nullptr);
  CHECK(cluster.take(sender).kind == outcome_kind::committed);
  cluster.propose(1);
  CHECK(cluster.take(sender).kind == outcome_kind::committed);
  cluster.settle();
  CHECK(cluster.snapshot_files(sender).size() == 2);
  cluster.crash(sender);
  REQUIRE(cluster.start(sender).ok());
  CHECK(cluster.log(sender).count("event=snapshot_damaged") <= damaged);
  REQUIRE(cluster.run_until([&] { return cluster.leader() != 0 && cluster.is_level(sender); }));
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

} // namespace caucus::testing
