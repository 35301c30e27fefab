#include "membership/configuration_codec.hpp"
#include "tests/support/core_cluster.hpp"
#include "tests/support/lone_core.hpp"

using namespace caucus;
using namespace caucus::test;
using namespace caucus::raft;

namespace {

append_reply accepted(uint64_t match) {
  return {.term = term_t{3}, .accepted = true, .match = index_t{match}};
}

append_reply refused(uint64_t prev, entry_id hint) {
  return {.term = term_t{3}, .prev = index_t{prev}, .hint = hint};
}

ready beat(lone_core& x, uint64_t from = 2) {
  return x.receive(from, heartbeat_reply{.term = term_t{3}});
}

/// Leader of term 3 with the entries 6 and 7 and its no-op 8, all committed; peer 2 has 3 at most.
lone_core leader_of_compacted(ready* asked = nullptr) {
  std::vector<entry_ptr> log = {make_entry(6, 2), make_entry(7, 2)};
  lone_core x{{.term = 2, .commit = 7, .log = log, .compacted = at(5, 1), .applied = 5}};
  x.lead();
  x.sync();
  x.receive(3, accepted(8));
  REQUIRE(x.status().commit == index_t{8});
  auto out = x.receive(2, refused(7, at(3, 1)));
  REQUIRE(peer(x, 2).state == progress_state::snapshot);
  if (asked != nullptr)
    *asked = std::move(out);
  return x;
}

/// Any snapshot's configuration.
membership::numbered_configuration members_of(uint64_t id, std::vector<uint64_t> voters) {
  membership::configuration x;
  x.voters = node_set(voters);
  return {index_t{id}, std::make_shared<const membership::configuration>(std::move(x))};
}

snapshot_installed snapshot(uint64_t index, uint64_t term) {
  return {.at = {at(index, term), members_of(0, {1, 2, 3})}, .wall_ns = 77};
}

/// Follower of node 2 in term 4 with four entries, two of them committed.
lone_core follower() {
  lone_core x{{.term = 3, .commit = 2, .log = make_log({1, 1, 2, 3}), .applied = 2}};
  x.receive(2, heartbeat{.term = term_t{4}});
  x.sync();
  REQUIRE(x.status().leader == node_id{2});
  return x;
}

} // namespace

TEST_SUITE("raft/core: peers that need a snapshot") {
  TEST_CASE("S-53 a peer that needs what was compacted gets no entries, and a snapshot is wanted") {
    ready out;
    auto x = leader_of_compacted(&out);
    REQUIRE(out.snapshots_wanted.size() == 1);
    CHECK(out.snapshots_wanted[0].to == node_id{2});
    CHECK(out.snapshots_wanted[0].at_least == index_t{5});
    CHECK(out.messages.empty());
    CHECK(x.propose(1, "a").snapshots_wanted.empty());
    CHECK(appends_to(2, x.propose(2, "b")).empty());
  }

  TEST_CASE("a peer whose next entry is the first one left needs no snapshot") {
    std::vector<entry_ptr> log = {make_entry(6, 2)};
    lone_core x{{.term = 2, .commit = 6, .log = log, .compacted = at(5, 1), .applied = 5}};
    x.lead();
    auto out = x.receive(2, refused(6, at(5, 1)));
    CHECK(out.snapshots_wanted.empty());
    REQUIRE(appends_to(2, out).size() == 1);
    CHECK(appends_to(2, out).at(0).prev == at(5, 1));
  }

  TEST_CASE("while it waits it is probed once a heartbeat, and refusals change nothing") {
    auto x = leader_of_compacted();
    for (int i = 0; i < 3; ++i) {
      auto out = beat(x);
      REQUIRE(appends_to(2, out).size() == 1);
      CHECK(appends_to(2, out).at(0).prev == at(5, 1));
      CHECK(appends_to(2, out).at(0).entries.empty());
      out = x.receive(2, refused(5, at(3, 1)));
      CHECK(out.messages.empty());
      CHECK(out.snapshots_wanted.empty());
      CHECK(peer(x, 2).state == progress_state::snapshot);
    }
  }

  TEST_CASE("a lost report doesn't hold it back: what proves a match resumes it") {
    auto x = leader_of_compacted();
    beat(x);
    SUBCASE("the probe is accepted") {
      auto out = x.receive(2, accepted(5));
      REQUIRE(appends_to(2, out).size() == 1);
      CHECK(appends_to(2, out).at(0).entries.size() == 3);
    }
    SUBCASE("it tells what it has installed") {
      auto out = x.receive(2, accepted(7));
      REQUIRE(appends_to(2, out).size() == 1);
      CHECK(appends_to(2, out).at(0).entries.size() == 1);
    }
    SUBCASE("it turns out to have more than it told") {
      x.receive(2, refused(7, at(6, 2)));
      CHECK(peer(x, 2).state == progress_state::probe);
      return;
    }
    CHECK(peer(x, 2).state == progress_state::replicate);
  }

  TEST_CASE("a snapshot that ends where our log has begun anew since brings another") {
    auto x = leader_of_compacted();
    auto out = x.receive(2, accepted(4)); // An older one, from whomever.
    CHECK(peer(x, 2).match == index_t{4});
    CHECK(peer(x, 2).state == progress_state::snapshot);
    CHECK(appends_to(2, out).empty());
  }

  TEST_CASE("P-12 no snapshot goes beyond what is committed") {
    auto x = leader_of_compacted();
    x.propose(1, "a");
    x.receive(2, accepted(9));
    CHECK(peer(x, 2).match == index_t{});
    CHECK(x.status().noise.beyond_sent == 1);
  }

  TEST_CASE("a snapshot that failed is wanted again after a heartbeat, not in a loop") {
    auto x = leader_of_compacted();
    CHECK(x.step(snapshot_sent{node_id{2}, false}).snapshots_wanted.empty());
    CHECK(x.tick().snapshots_wanted.size() == 1);
    CHECK(x.tick().snapshots_wanted.empty());
  }

  TEST_CASE("one that was sent is asked about at once, as the report alone proves nothing") {
    auto x = leader_of_compacted();
    auto out = x.step(snapshot_sent{node_id{2}, true});
    CHECK(appends_to(2, out).size() == 1);
    CHECK(peer(x, 2).state == progress_state::snapshot);
    CHECK(peer(x, 2).match == index_t{});
  }

  TEST_CASE("if nothing is heard of it, it is wanted again, unless the peer is dead") {
    auto x = leader_of_compacted();
    uint64_t wanted = 0;
    for (int i = 0; i < 45; ++i) {
      beat(x), beat(x, 3);
      wanted += x.tick().snapshots_wanted.size();
    }
    CHECK(wanted == 1);
    for (int i = 0; i < 100; ++i) {
      beat(x, 3);
      wanted += x.tick().snapshots_wanted.size();
    }
    CHECK(wanted == 1);
    CHECK(beat(x).snapshots_wanted.size() == 1);
  }

  TEST_CASE("a peer that falls behind the compacted part while it is cut off gets a snapshot") {
    for (bool is_reported : {true, false}) {
      core_cluster x;
      x.elect(1);
      x.isolate(3);
      for (int i = 0; i < 20; ++i) {
        x.propose(1);
        x.settle();
      }
      x.compact(1);
      x.compact(2, 5);
      x.heal();
      for (int i = 0; i < 60; ++i) {
        x.tick_all();
        while (!x.snapshots_wanted.empty()) // The first three get lost.
          x.carry_snapshot(x.snapshots_installed == 0 && i < 50, is_reported);
        x.settle();
      }
      CHECK(x.snapshots_installed >= 1);
      CHECK(x.applied(3).size() == x.applied(1).size());
      x.propose(1);
      x.settle();
      x.tick_all();
      x.settle();
      CHECK(x.applied(3).size() == x.applied(1).size());
      x.check_at_end();
    }
  }
}

TEST_SUITE("raft/core: installed snapshots") {
  TEST_CASE("N-08 S-59 a snapshot beyond the log replaces it, and is acknowledged once durable") {
    auto x = follower();
    auto out = x.step(snapshot(9, 3));
    CHECK(out.restore == at(9, 3));
    REQUIRE(out.persist.has_value());
    CHECK(out.persist->snapshot == at(9, 3));
    CHECK(out.persist->must_sync);
    CHECK(out.messages.empty());
    CHECK(x.status().first == index_t{10});
    CHECK(x.status().last == index_t{9});
    CHECK(x.status().commit == index_t{9});
    CHECK(x.status().term == term_t{4}); // S-05: not lowered.
    out = x.sync();
    REQUIRE(sent<append_reply>(out).size() == 1);
    CHECK(sent<append_reply>(out).at(0).first == 2);
    CHECK(sent<append_reply>(out).at(0).second.accepted);
    CHECK(sent<append_reply>(out).at(0).second.match == index_t{9});
    x.receive(2, append_entries{term_t{4}, at(9, 3), index_t{10}, {make_entry(10, 4, "x")}});
    out = x.sync();
    REQUIRE(out.committed.size() == 1);
    CHECK(out.committed[0]->id == at(10, 4));
  }

  TEST_CASE("nothing vouches for the new beginning before it is durable") {
    auto x = follower();
    x.step(snapshot(9, 3));
    auto out = x.receive(2, append_entries{.term = term_t{4}, .prev = at(9, 3)});
    CHECK(sent<append_reply>(out).empty());
    CHECK(sent<append_reply>(x.sync()).size() == 1);
  }

  TEST_CASE("N-07 S-26 a snapshot of what the log has keeps the log's end") {
    auto x = follower();
    auto out = x.step(snapshot(3, 2));
    CHECK_FALSE(out.restore.has_value());
    CHECK(x.status().commit == index_t{3});
    CHECK(x.status().last == index_t{4});
    REQUIRE(sent<append_reply>(out).size() == 1);
    CHECK(sent<append_reply>(out).at(0).second.match == index_t{3});
  }

  TEST_CASE("a snapshot inside a log that differs there drops that log") {
    auto x = follower();
    auto out = x.step(snapshot(3, 4));
    CHECK(out.restore == at(3, 4));
    CHECK(x.status().last == index_t{3});
  }

  TEST_CASE("N-06 an older snapshot is ignored, and answered with what is committed here") {
    auto x = follower();
    auto out = x.step(snapshot(1, 1));
    CHECK_FALSE(out.restore.has_value());
    CHECK_FALSE(out.persist.has_value());
    REQUIRE(sent<append_reply>(out).size() == 1);
    CHECK(sent<append_reply>(out).at(0).second.match == index_t{2});
  }

  TEST_CASE("N-12 of two in quick succession the further one stays") {
    auto x = follower();
    x.feed(snapshot(9, 3));
    x.feed(snapshot(12, 3));
    x.feed(snapshot(10, 3));
    auto out = x.take();
    CHECK(out.restore == at(12, 3));
    CHECK(out.persist->snapshot == at(12, 3));
    CHECK(x.status().last == index_t{12});
    out = x.sync();
    for (const auto& told : sent<append_reply>(out))
      CHECK(told.second.match <= index_t{12});
  }

  TEST_CASE("S-20 a batch from before the snapshot doesn't make later entries durable") {
    auto x = follower();
    x.receive(2, append_entries{term_t{4}, at(4, 3), {}, {make_entry(5, 4), make_entry(6, 4)}});
    const auto before = x.last_seq; // 5 and 6 are on their way, then replaced.
    x.step(snapshot(5, 5));
    x.receive(2, heartbeat{.term = term_t{5}});
    x.receive(2, append_entries{term_t{5}, at(5, 5), {}, {make_entry(6, 5)}});
    x.step(persisted{before});
    CHECK(x.status().persisted == index_t{5});
  }

  TEST_CASE("P-08 S-54 an append from before the snapshot neither cuts nor repeats anything") {
    auto x = follower();
    x.step(snapshot(9, 3));
    x.sync();
    auto out = x.receive(2, append_entries{term_t{4}, at(4, 3), index_t{5}, {make_entry(5, 3)}});
    CHECK(x.status().last == index_t{9});
    REQUIRE(sent<append_reply>(out).size() == 1);
    CHECK(sent<append_reply>(out).at(0).second.match == index_t{5});
  }

  TEST_CASE("N-10 a candidate takes a snapshot, and votes are asked for with its end") {
    auto x = follower();
    for (int i = 0; i < 20; ++i)
      x.tick();
    REQUIRE(x.status().role == role::pre_candidate);
    x.step(snapshot(9, 3));
    CHECK(x.status().last == index_t{9});
    auto out = x.tick();
    REQUIRE_FALSE(sent<request_vote>(out).empty());
    CHECK(sent<request_vote>(out).at(0).second.last == at(9, 3));
    x.receive(2, append_entries{.term = term_t{4}, .prev = at(9, 3)});
    CHECK(x.status().role == role::follower);
  }

  TEST_CASE("S-58 N-13 the configuration is the snapshot's, as of its end") {
    auto x = follower();
    auto in = snapshot(9, 3);
    in.at.members = members_of(7, {2, 3, 4});
    auto out = x.step(in);
    REQUIRE(out.configuration.has_value());
    CHECK(out.configuration->members->voters == node_set({2, 3, 4}));
    CHECK(out.configuration->id == index_t{7});
    CHECK(out.configuration->is_committed);
    CHECK(x.boundary_at(9).members.id == index_t{7});
  }

  TEST_CASE("what was on its way to the machine comes before the snapshot, reads of old logs not") {
    lone_core x{{.term = 3,
                 .commit = 4,
                 .log = make_log({1, 1, 2, 3}),
                 .in_memory = 0,
                 .options = {.apply_bytes_max = 100}}};
    auto out = x.receive(2, heartbeat{.term = term_t{4}, .commit = index_t{4}});
    REQUIRE(out.reads.size() == 1); // 1 has to be read back before it is applied.
    x.sync();
    x.step(snapshot(9, 3));
    out = x.step(log_read_done{node_id{1}, index_t{1}, {make_entry(1, 1)}});
    CHECK(out.committed.empty());
    CHECK(x.status().noise.stale_reads == 1);
    x.sync();
    x.step(applied{index_t{9}});
    CHECK(x.status().applied == index_t{9});
  }
}

TEST_SUITE("raft/core: compaction") {
  TEST_CASE("the log is freed up to what was asked, but never beyond what is applied") {
    lone_core x{{.term = 2, .commit = 4, .log = make_log({1, 1, 2, 2, 2}), .applied = 3}};
    x.step(compact{index_t{2}});
    CHECK(x.status().first == index_t{3});
    x.step(compact{index_t{5}});
    CHECK(x.status().first == index_t{4});
    x.step(compact{index_t{1}});
    CHECK(x.status().first == index_t{4});
    CHECK(x.boundary_at(3).last == at(3, 2));
    CHECK(x.status().tail_bytes == 2 * make_entry(1, 1)->cost());
  }

  TEST_CASE("N-13 a boundary has the configuration of its index, not the latest") {
    lone_core x{{.term = 1, .commit = 1, .log = make_log({1, 1})}};
    membership::configuration next;
    next.voters = node_set({1, 2, 3, 4});
    for (uint64_t id : {1, 2, 3, 4})
      next.addresses[node_id{id}] = endpoint{"h", static_cast<uint16_t>(id)};
    auto changed = std::make_shared<entry>(*make_entry(3, 1));
    changed->body = {.kind = entry_kind::configuration,
                     .payload = shared_bytes::copy_of(
                       std::span<const std::byte>{membership::encode_payload(next)})};
    x.receive(2, append_entries{term_t{1}, at(2, 1), index_t{3}, {changed}});
    x.sync();
    x.step(applied{index_t{3}});
    CHECK(x.boundary_at(2).members.members->voters == node_set({1, 2, 3}));
    CHECK(x.boundary_at(3).members.id == index_t{3});
    x.step(compact{index_t{2}});
    CHECK(x.boundary_at(2).members.members->voters == node_set({1, 2, 3}));
    x.step(compact{index_t{3}});
    CHECK(x.boundary_at(3).members.members->voters.size() == 4);
  }
}
