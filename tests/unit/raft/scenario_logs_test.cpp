// Hazards of RELIABILITY sections 2 and 4 that concern logs, commits and snapshots, each by its id.

#include "tests/support/core_cluster.hpp"
#include "tests/support/lone_core.hpp"

using namespace caucus;
using namespace caucus::test;
using namespace caucus::raft;

namespace {

append_reply accepted(uint64_t term, uint64_t match) {
  return {.term = term_t{term}, .accepted = true, .match = index_t{match}};
}

snapshot_installed snapshot(uint64_t index, uint64_t term) {
  auto members = std::make_shared<membership::configuration>();
  members->voters = node_set({1, 2, 3});
  return {.at = {at(index, term), {index_t{}, members}}};
}

/// 3 was cut off while the others wrote 20 entries and compacted most of them.
core_cluster with_a_straggler() {
  core_cluster x;
  x.elect(1);
  x.isolate(3);
  for (int i = 0; i < 20; ++i) {
    x.propose(1);
    x.settle();
  }
  pass_time(x, 1);
  x.compact(1, 3);
  x.compact(2, 5);
  return x;
}

} // namespace

TEST_SUITE("raft/core: scenarios of logs and snapshots") {
  TEST_CASE("S-29 what a leader committed in its last step stays committed, and stays") {
    lone_core x{{}};
    x.lead();
    x.receive(2, accepted(1, 1));
    x.propose(1, "a");
    x.propose(2, "b");
    x.sync();
    REQUIRE(x.status().last == index_t{3});
    // All before one ready: a majority has 2, then another leader knows of no 3.
    x.feed(received{node_id{2}, accepted(1, 2)});
    x.feed(received{node_id{3}, append(2, at(2, 1), {make_entry(3, 2)})});
    auto out = x.take();
    CHECK(x.status().commit == index_t{2});
    REQUIRE(out.persist.has_value());
    CHECK(out.persist->truncate_from == index_t{3});
    REQUIRE_FALSE(out.committed.empty());
    CHECK(out.committed.back()->body.payload.view() == "a");
    CHECK_THROWS_AS(x.feed(received{node_id{3}, append(2, at(1, 1), {make_entry(2, 2)})}),
                    invariant_violation);
  }

  TEST_CASE("S-39 every replica applies what is committed, so no failover loses it") {
    core_cluster x;
    x.elect(1);
    for (int i = 0; i < 5; ++i)
      x.propose(1);
    pass_time(x, 2);
    for (auto id : x.ids()) {
      REQUIRE(x.applied(id).size() == 6);
      for (size_t i = 0; i < 6; ++i)
        CHECK(x.applied(id)[i]->id == x.applied(1)[i]->id);
    }
    x.crash(1);
    REQUIRE(x.tick_until_leader(60));
    pass_time(x, 2);
    CHECK(x.applied(x.leader()).size() == 7);
  }

  TEST_CASE("S-40 of two entries for one index in one batch the later one is written and applied") {
    lone_core x{{.term = 1, .log = make_log({1})}};
    x.feed(received{node_id{2}, append(1, at(1, 1), {make_entry(2, 1, "old")})});
    x.feed(received{node_id{3}, append(2, at(1, 1), {make_entry(2, 2, "new")}, 2)});
    auto out = x.take();
    REQUIRE(out.persist.has_value());
    REQUIRE(out.persist->entries.size() == 1);
    CHECK(out.persist->entries[0]->body.payload.view() == "new");
    out = x.sync();
    REQUIRE(out.committed.size() == 1);
    CHECK(out.committed[0]->body.payload.view() == "new");
  }

  TEST_CASE("S-55 a log that begins beyond its snapshot, or a hole in it, is refused") {
    auto found = recover({term_t{2}, {}, {}}, {make_entry(9, 2)}, 1, at(5, 1));
    found.members.voters = node_set({1, 2, 3});
    found.last = index_t{9};
    core_options options;
    options.self = node_id{1};
    CHECK_THROWS_AS((core{options, found}), invariant_violation);
    auto good = recover({term_t{2}, {}, {}}, {make_entry(6, 2)}, 1, at(5, 1));
    good.members.voters = node_set({1, 2, 3});
    CHECK(core{options, good}.describe().first == index_t{6});
  }

  TEST_CASE("N-02 S-55 a crash between a snapshot and the log's new beginning leaves no gap") {
    for (bool is_synced : {false, true}) {
      auto x = with_a_straggler();
      x.heal();
      for (int i = 0; i < 20 && x.snapshots_wanted.empty(); ++i) {
        x.tick_all();
        while (!x.wire.empty())
          x.deliver(0);
        for (auto id : x.ids())
          x.sync(id);
      }
      REQUIRE_FALSE(x.snapshots_wanted.empty());
      x.carry_snapshot(); // The file is durable, the log's mark not yet.
      if (is_synced)
        x.sync(3, 1);
      x.crash(3);
      x.restart(3);
      CHECK(x.status(3).first <= x.status(3).applied + 1);
      CHECK(x.status(3).applied >= index_t{18});
      pass_time(x, 30);
      CHECK(x.applied(3).size() == x.applied(1).size());
      x.check_at_end();
    }
  }

  TEST_CASE("N-04 a new leader sends a snapshot of its own, whatever became of the old one's") {
    auto x = with_a_straggler();
    x.heal();
    x.hold = [](const auto& p) { return p.from == 1 && p.to == 3; };
    x.tick(1);
    x.settle();
    x.held.clear();
    x.hold = nullptr;
    x.snapshots_wanted.clear(); // Half sent.
    x.crash(1);
    REQUIRE(x.tick_until_leader(100));
    CHECK(x.leader() == 2); // The other's log is too short.
    pass_time(x, 60);
    CHECK(x.snapshots_installed == 1);
    CHECK(x.applied(3).size() == x.applied(2).size());
  }

  TEST_CASE("N-09 S-52 an older snapshot of our own that ends late takes nothing back") {
    lone_core x{{.term = 3, .commit = 4, .log = make_log({1, 1, 2, 3}), .applied = 4}};
    x.step(snapshot(9, 3));
    x.sync();
    x.step(compact{index_t{4}}); // Begun before the other came.
    CHECK(x.status().first == index_t{10});
    CHECK(x.boundary_at(9).last == at(9, 3));
    x.step(applied{index_t{9}});
    x.step(compact{index_t{4}});
    CHECK(x.status().first == index_t{10});
    CHECK(x.status().commit == index_t{9});
  }

  TEST_CASE("S-53 an append to the log's start is no match where the start was compacted") {
    lone_core x{
      {.term = 2, .commit = 5, .log = {make_entry(6, 2)}, .compacted = at(5, 1), .applied = 5}};
    x.receive(2, heartbeat{.term = term_t{3}});
    x.sync();
    // What it says of 1 to 5 can't be compared any more, but it was committed; 6 differs.
    std::vector<entry_ptr> entries;
    for (uint64_t i = 1; i <= 6; ++i)
      entries.push_back(make_entry(i, i < 6 ? 1 : 3));
    x.receive(2, append(3, {}, {entries.begin(), entries.begin() + 3}, 3));
    CHECK(x.status().last == index_t{6});
    CHECK(x.status().commit == index_t{5});
    x.receive(2, append(3, {}, entries, 6));
    CHECK(x.status().commit == index_t{6});
    auto out = x.sync();
    REQUIRE(out.committed.size() == 1);
    CHECK(out.committed[0]->id == at(6, 3));
  }

  TEST_CASE("S-53 whose next entry is the last compacted one needs a snapshot too") {
    lone_core x{
      {.term = 2, .commit = 6, .log = {make_entry(6, 2)}, .compacted = at(5, 1), .applied = 5}};
    x.lead();
    auto out = x.receive(2, append_reply{.term = term_t{3}, .prev = index_t{6}, .hint = at(4, 1)});
    REQUIRE(out.snapshots_wanted.size() == 1);
    CHECK(out.snapshots_wanted[0].to == node_id{2});
    CHECK(sent<append_entries>(out).empty());
  }

  TEST_CASE("S-54 a delayed append of what was compacted isn't appended again") {
    lone_core x{{.term = 1, .commit = 3, .log = make_log({1, 1, 1}), .applied = 3}};
    x.receive(2, heartbeat{.term = term_t{1}});
    x.step(compact{index_t{2}});
    auto out = x.receive(2, append(1, {}, {make_entry(1, 1), make_entry(2, 1)}));
    CHECK(x.status().last == index_t{3});
    CHECK_FALSE(out.persist.has_value());
    REQUIRE(sent<append_reply>(out).size() == 1);
    CHECK(sent<append_reply>(out).at(0).second.accepted);
    CHECK(sent<append_reply>(out).at(0).second.match == index_t{2});
    out = x.receive(2, append(1, {}, make_log({1, 1, 1, 1})));
    REQUIRE(out.persist.has_value());
    REQUIRE(out.persist->entries.size() == 1);
    CHECK(out.persist->entries[0]->id == at(4, 1));
  }

  TEST_CASE("S-59 a log that a snapshot has overtaken goes on after it") {
    auto x = with_a_straggler();
    REQUIRE(x.log_terms(3).size() < 5);
    x.heal();
    pass_time(x, 20);
    REQUIRE(x.snapshots_installed >= 1);
    CHECK(x.log_terms(3) == x.log_terms(1));
    x.crash(1); // As a leader it finds what the others need.
    x.elect(3);
    const auto request = x.propose(3);
    pass_time(x, 3);
    CHECK(x.is_committed(request));
    CHECK(x.log_terms(2) == x.log_terms(3));
  }
}
