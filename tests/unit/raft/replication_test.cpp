#include "tests/support/core_cluster.hpp"
#include "tests/support/lone_core.hpp"

using namespace caucus;
using namespace caucus::test;
using namespace caucus::raft;

namespace {

append_reply accepted(uint64_t term, uint64_t match) {
  return {.term = term_t{term}, .accepted = true, .match = index_t{match}};
}

append_reply refused(uint64_t term, uint64_t prev, entry_id hint) {
  return {.term = term_t{term}, .prev = index_t{prev}, .hint = hint};
}

/// Leader of term 1 of a group of three; its own no-op is durable and both peers have it.
lone_core leader(core_options options = {}) {
  lone_core x{{.options = options}};
  x.lead();
  x.sync();
  x.receive(2, accepted(1, 1));
  x.receive(3, accepted(1, 1));
  REQUIRE(x.status().commit == index_t{1});
  return x;
}

} // namespace

TEST_SUITE("raft/core: replication") {
  TEST_CASE("a leader sends before its own disk is done, and then all steps in one append") {
    auto x = leader();
    x.feed(propose{request_id{1}, text_command("a")});
    x.feed(propose{request_id{2}, text_command("b")});
    auto out = x.take();
    REQUIRE(out.persist.has_value());
    auto appended = appends_to(2, out);
    REQUIRE(appended.size() == 1);
    CHECK(appended[0].prev == at(1, 1));
    CHECK(appended[0].entries.size() == 2);
    // The same entries, not copies of them.
    CHECK(appended[0].entries[0] == out.persist->entries[0]);
  }

  TEST_CASE("replicating goes on without waiting, probing doesn't") {
    lone_core x{{}};
    x.lead();
    x.sync();
    CHECK(peer(x, 2).state == progress_state::probe);
    CHECK(appends_to(2, x.propose(1, "a")).empty()); // The no-op is the probe.
    auto out = x.receive(2, accepted(1, 1));
    CHECK(peer(x, 2).state == progress_state::replicate);
    CHECK(appends_to(2, out).size() == 1);
    CHECK(appends_to(2, x.propose(2, "b")).size() == 1);
    CHECK(appends_to(2, x.propose(3, "c")).size() == 1);
    CHECK(peer(x, 2).inflight_messages == 3);
    CHECK(appends_to(3, x.propose(4, "d")).empty());
  }

  TEST_CASE("S-30 a leader counts itself only once its own disk is done") {
    auto x = leader();
    x.propose(1, "a");
    x.receive(2, accepted(1, 2));
    CHECK(x.status().commit == index_t{1});
    auto out = x.sync();
    CHECK(x.status().commit == index_t{2});
    CHECK(out.committed.size() == 1);
  }

  TEST_CASE("S-30 with its own disk stuck a leader commits through the others, applies nothing") {
    auto x = leader();
    x.propose(1, "a");
    x.receive(2, accepted(1, 2));
    auto out = x.receive(3, accepted(1, 2));
    CHECK(x.status().commit == index_t{2});
    CHECK(out.committed.empty());
    CHECK(x.sync().committed.size() == 1);
  }

  TEST_CASE("S-17 nothing commits by counting an old term's entries") {
    // Figure 8 of the paper, one entry an append.
    core_cluster x{core_cluster::options{
      .voters = {1, 2, 3, 4, 5}, .core = {.append_bytes_max = 1, .seed = 1}, .seed = 1}};
    x.elect(1);
    x.cut(1, 3);
    x.cut(1, 4);
    x.cut(1, 5);
    const auto request = x.propose(1);
    x.settle();
    x.crash(1);
    REQUIRE(x.log_terms(2) == std::vector<uint64_t>{1, 1});
    // 5 leads the next term by votes of 3 and 4, and dies with its entry known to itself only.
    x.isolate(2);
    x.hold = [](const auto& p) { return std::holds_alternative<append_entries>(p.body); };
    x.elect(5);
    x.crash(5);
    x.held.clear();
    x.heal();
    // 1 leads again; the old entry gets to a majority, the new no-op doesn't.
    x.restart(1);
    x.hold = [&](const auto& p) {
      const auto* m = std::get_if<append_entries>(&p.body);
      return m != nullptr && !m->entries.empty() && m->entries.back()->id.index >= index_t{3}
             && x.log_terms(p.to).size() >= 2;
    };
    x.elect(1);
    for (int i = 0; i < 5; ++i) {
      x.tick(1);
      x.settle();
    }
    REQUIRE(x.log_terms(3) == std::vector<uint64_t>{1, 1});
    REQUIRE(x.log_terms(4) == std::vector<uint64_t>{1, 1});
    CHECK(x.status(1).commit == index_t{1});
    CHECK_FALSE(x.is_committed(request));
    // Had it been committed, it would be lost now.
    x.crash(1);
    x.held.clear();
    x.hold = nullptr;
    x.restart(5);
    x.elect(5);
    CHECK(x.log_terms(3) == x.log_terms(5));
    CHECK(x.log_terms(3).at(1) != 1);
  }

  TEST_CASE(
    "S-17 S-18 an old term's entry on a majority isn't committed, with the own no-op it is") {
    lone_core x{{.term = 3, .log = make_log({1, 2})}};
    x.lead();
    x.sync();
    REQUIRE(x.status().term == term_t{4});
    x.receive(2, refused(4, 2, at(1, 1)));
    x.receive(2, accepted(4, 2)); // Both disks have entry 2 of term 2.
    CHECK(x.status().commit == index_t{});
    x.receive(2, accepted(4, 3)); // S-18: seen from the top.
    CHECK(x.status().commit == index_t{3});
  }

  TEST_CASE("S-24 a late acknowledgement moves match nowhere") {
    auto x = leader();
    for (uint64_t i = 1; i <= 4; ++i)
      x.propose(i, "x");
    x.receive(2, accepted(1, 5));
    x.receive(2, accepted(1, 3));
    CHECK(peer(x, 2).match == index_t{5});
    CHECK(peer(x, 2).next == index_t{6});
    CHECK(peer(x, 2).inflight_messages == 0);
  }

  TEST_CASE("S-25 a refusal never takes next down to match") {
    auto x = leader();
    for (uint64_t i = 1; i <= 4; ++i)
      x.propose(i, "x");
    x.receive(2, accepted(1, 3));
    x.receive(2, refused(1, 4, at(1, 1)));
    CHECK(peer(x, 2).state == progress_state::probe);
    CHECK(peer(x, 2).next == index_t{4});
  }

  TEST_CASE("S-27 a refusal from before the logs matched is ignored") {
    auto x = leader();
    x.propose(1, "a");
    x.receive(2, accepted(1, 2));
    x.receive(2, refused(1, 2, {}));
    x.receive(2, refused(1, 1, {}));
    CHECK(peer(x, 2).state == progress_state::replicate);
    CHECK(peer(x, 2).match == index_t{2});
    CHECK(x.status().noise.stale_reply == 2);
  }

  TEST_CASE("S-28 four refusals of a pipeline cause one probe") {
    auto x = leader();
    for (uint64_t i = 1; i <= 5; ++i)
      x.propose(i, "x");
    size_t probes = 0;
    for (uint64_t prev = 2; prev <= 5; ++prev) // The first of five was lost.
      probes += appends_to(2, x.receive(2, refused(1, prev, at(1, 1)))).size();
    CHECK(probes == 1);
    CHECK(peer(x, 2).next == index_t{2});
    auto out = x.receive(2, accepted(1, 6));
    CHECK(peer(x, 2).state == progress_state::replicate);
    CHECK(peer(x, 2).match == index_t{6});
  }

  TEST_CASE("a refusal's hint lets the leader skip its own newer terms") {
    lone_core x{{.term = 7, .log = make_log({1, 1, 4, 4, 5, 6, 6})}};
    x.lead();
    auto out = x.receive(2, refused(8, 7, at(6, 3)));
    CHECK(peer(x, 2).next == index_t{3});
    auto probe = appends_to(2, out);
    REQUIRE(probe.size() == 1);
    CHECK(probe[0].prev == at(2, 1));
  }

  TEST_CASE("logs that differ in many terms agree after few refusals") {
    lone_core lead{{.term = 20, .log = make_log({1, 1, 5, 5, 5, 8, 8, 9, 9, 12})}};
    lone_core follow{{.self = 2, .term = 20, .log = make_log({1, 1, 2, 3, 4, 6, 7, 10, 10, 11})}};
    auto out = lead.lead();
    int refusals = 0;
    for (int round = 0; round < 20 && peer(lead, 2).match < index_t{11}; ++round)
      for (auto& request : appends_to(2, out)) {
        auto back = follow.receive(1, request);
        auto late = follow.sync();
        for (auto* some : {&back, &late})
          for (auto& [to, reply] : sent<append_reply>(*some)) {
            refusals += reply.accepted ? 0 : 1;
            out = lead.receive(2, reply);
          }
      }
    CHECK(peer(lead, 2).match == index_t{11});
    CHECK(refusals <= 4);
  }

  TEST_CASE("P-11 acknowledgements of an earlier leadership move nothing") {
    lone_core x{{.term = 1, .log = make_log({1, 1, 1})}};
    x.lead();
    x.receive(2, accepted(1, 3));
    CHECK(peer(x, 2).match == index_t{});
    CHECK(x.status().noise.stale_term == 1);
  }

  TEST_CASE("P-12 an acknowledgement of what was never sent is noise") {
    auto x = leader();
    x.receive(2, accepted(1, 7));
    CHECK(peer(x, 2).match == index_t{1});
    CHECK(x.status().commit == index_t{1});
    x.receive(2, refused(1, 9, {}));
    CHECK(peer(x, 2).state == progress_state::replicate);
    CHECK(x.status().noise.beyond_sent == 2);
  }

  TEST_CASE("P-19 a full window stops sends to that peer only, one round trip opens it") {
    core_options options;
    options.inflight_messages_max = 2;
    auto x = leader(options);
    for (uint64_t i = 1; i <= 10; ++i) {
      auto out = x.propose(i, "x");
      CHECK(appends_to(3, out).size() == (i <= 2 ? 1 : 0));
      if (i <= 5)
        x.receive(2, accepted(1, i + 1));
    }
    CHECK(peer(x, 3).inflight_messages == 2);
    CHECK(peer(x, 2).match == index_t{6});
    auto out = x.receive(3, accepted(1, 3));
    REQUIRE(appends_to(3, out).size() == 1);
    CHECK(appends_to(3, out).at(0).entries.size() == 8);
  }

  TEST_CASE("the window is limited in bytes, and an append in its size") {
    core_options options;
    options.append_bytes_max = 1000;
    options.inflight_bytes_max = 2000;
    auto x = leader(options);
    for (uint64_t i = 1; i <= 20; ++i)
      x.feed(propose{request_id{i}, text_command(std::string(304, 'x'))}); // 400 bytes each.
    auto appended = appends_to(2, x.take());
    REQUIRE(appended.size() == 3);
    CHECK(appended[0].entries.size() == 2);
    CHECK(peer(x, 2).inflight_bytes == 2400);
    CHECK(appends_to(2, x.receive(2, accepted(1, 3))).size() == 1);
    // What is larger than an append may be goes alone.
    lone_core y = leader(options);
    y.feed(propose{request_id{1}, text_command(std::string(2000, 'x'))});
    y.feed(propose{request_id{2}, text_command("x")});
    appended = appends_to(2, y.take());
    REQUIRE(appended.size() == 1);
    CHECK(appended[0].entries.size() == 1);
  }

  TEST_CASE("S-36 progress that arrives after the step-down moves nothing") {
    auto x = leader();
    x.propose(1, "a");
    x.sync();
    x.tick(20);
    x.tick(20);
    REQUIRE(x.status().role != role::leader);
    x.receive(2, accepted(1, 2));
    CHECK(x.status().commit == index_t{1});
    CHECK(x.status().noise.wrong_role == 1);
  }

  TEST_CASE("S-37 a heartbeat round trip brings a silenced peer back") {
    auto x = leader();
    x.step(peer_unreachable{node_id{2}});
    CHECK(peer(x, 2).is_paused);
    CHECK(appends_to(2, x.propose(1, "a")).empty());
    auto out = x.receive(2, heartbeat_reply{.term = term_t{1}});
    REQUIRE(appends_to(2, out).size() == 1);
    x.receive(2, accepted(1, 2));
    CHECK(peer(x, 2).state == progress_state::replicate);
  }

  TEST_CASE("reports of a dead link cause no sends") {
    auto x = leader();
    x.propose(1, "a");
    for (int i = 0; i < 5; ++i)
      CHECK(x.step(peer_unreachable{node_id{2}}).messages.empty());
  }

  TEST_CASE("the last append's loss is noticed although nothing is proposed any more") {
    core_cluster x;
    x.elect(1);
    x.hold = [](const auto& p) {
      return p.to == 2 && std::holds_alternative<append_entries>(p.body);
    };
    const auto request = x.propose(1);
    x.settle();
    x.held.clear();
    x.release();
    CHECK(x.is_committed(request));
    CHECK(x.log_terms(2).size() == 1);
    x.tick(1);
    x.settle();
    CHECK(x.log_terms(2).size() == 2);
  }

  TEST_CASE("heartbeats carry a commit that the peer is known to hold") {
    lone_core x{{.learners = {4}}};
    x.lead();
    x.sync();
    x.receive(2, accepted(1, 1));
    REQUIRE(x.status().commit == index_t{1});
    auto out = x.tick();
    REQUIRE(out.heartbeats.size() == 3);
    CHECK(out.heartbeats[0].to == node_id{2});
    CHECK(out.heartbeats[0].commit == index_t{1});
    CHECK(out.heartbeats[1].commit == index_t{0});
    CHECK(out.heartbeats[2].to == node_id{4});
    CHECK(sent<heartbeat>(out).empty());
  }

  TEST_CASE("a learner gets the log and doesn't count") {
    lone_core x{{.learners = {4}}};
    auto out = x.lead();
    CHECK(appends_to(4, out).size() == 1);
    x.sync();
    x.receive(4, accepted(1, 1));
    CHECK(x.status().commit == index_t{});
    x.receive(3, accepted(1, 1));
    CHECK(x.status().commit == index_t{1});
  }

  TEST_CASE("C-01 an entry's wall time never goes back, also not when the clock does") {
    auto x = leader();
    x.now.wall_ns = 5000;
    auto first = x.propose(1, "a").persist->entries.at(0)->wall_ns;
    x.now.wall_ns = 10;
    auto second = x.propose(2, "b").persist->entries.at(0)->wall_ns;
    CHECK(first == 5000);
    CHECK(second == 5001);
  }
}
