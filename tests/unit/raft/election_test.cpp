#include "tests/support/lone_core.hpp"

using namespace caucus;
using namespace caucus::test;
using namespace caucus::raft;

namespace {

constexpr term_t term(uint64_t x) { return term_t{x}; }

request_vote ask(uint64_t of_term, entry_id last = {}) {
  return {.term = term(of_term), .last = last};
}

vote_reply grant(uint64_t of_term) { return {.term = term(of_term), .granted = true}; }

vote_reply pre_grant(uint64_t of_term) {
  return {.term = term(of_term), .is_pre_vote = true, .granted = true};
}

/// A candidate of term 1 in a group of `voters`, its vote durable and the others asked.
lone_core candidate(std::vector<uint64_t> voters = {1, 2, 3}) {
  core_options options;
  options.pre_vote = false;
  lone_core x{{.voters = std::move(voters), .options = options}};
  x.step(campaign{});
  x.sync();
  REQUIRE(x.status().role == role::candidate);
  return x;
}

} // namespace

TEST_SUITE("raft/core: elections") {
  TEST_CASE("P-20 equal seeds don't give equal timeouts on all nodes, or in all groups") {
    std::set<uint32_t> ticks_of_nodes;
    std::set<uint32_t> ticks_of_groups;
    for (uint64_t i = 1; i <= 20; ++i) {
      core_options options;
      lone_core node{{.self = i, .voters = {i, 100}, .options = options}};
      options.group = group_id{i};
      lone_core group{{.voters = {1, 100}, .options = options}};
      uint32_t n = 0;
      for (; node.status().role == role::follower; ++n)
        node.tick();
      uint32_t g = 0;
      for (; group.status().role == role::follower; ++g)
        group.tick();
      ticks_of_nodes.insert(n);
      ticks_of_groups.insert(g);
    }
    CHECK(ticks_of_nodes.size() >= 4);
    CHECK(ticks_of_groups.size() >= 4);
    CHECK(*ticks_of_nodes.begin() >= 10);
    CHECK(*ticks_of_nodes.rbegin() < 20);
  }

  TEST_CASE("a majority of pre-votes makes a candidate, a majority of votes a leader") {
    lone_core x{{.voters = {1, 2, 3, 4, 5}}};
    x.step(campaign{});
    x.receive(2, pre_grant(1));
    CHECK(x.status().role == role::pre_candidate);
    auto out = x.receive(3, pre_grant(1));
    CHECK(x.status().role == role::candidate);
    CHECK(x.status().term == term(1));
    REQUIRE(out.persist.has_value());
    CHECK(out.persist->must_sync);
    CHECK(out.persist->hard->voted_for == node_id{1});
    x.sync();
    x.receive(2, grant(1));
    CHECK(x.status().role == role::candidate);
    out = x.receive(3, grant(1));
    CHECK(x.status().role == role::leader);
    CHECK(x.status().leader == node_id{1});
    REQUIRE(out.soft_changes.size() == 1);
    CHECK(out.soft_changes[0] == soft_state{term(1), node_id{1}, role::leader});
    // Its no-op goes to everybody at once (P-14).
    auto appended = sent<append_entries>(out);
    REQUIRE(appended.size() == 4);
    REQUIRE(appended[0].second.entries.size() == 1);
    CHECK(appended[0].second.entries[0]->body.kind == entry_kind::no_op);
    CHECK(appended[0].second.entries[0]->id == at(1, 1));
  }

  TEST_CASE("a candidate asks and counts its own vote only once that is durable") {
    core_options options;
    options.pre_vote = false;
    lone_core x{{.options = options}};
    auto out = x.step(campaign{});
    CHECK(x.status().role == role::candidate);
    CHECK(sent<request_vote>(out).empty());
    x.receive(2, grant(1)); // Of an earlier life at most; must not win it the election.
    x.receive(3, grant(1));
    CHECK(x.status().role == role::candidate);
    out = x.sync();
    CHECK(x.status().role == role::leader);
  }

  TEST_CASE("the sync of what came before its vote doesn't make a candidate ask") {
    core_options options;
    options.pre_vote = false;
    lone_core x{{.options = options}};
    x.receive(2, append_entries{.term = term(1), .entries = {make_entry(1, 1)}});
    const auto entries = x.last_seq;
    x.step(campaign{});
    REQUIRE(x.last_seq > entries);
    CHECK(sent<request_vote>(x.step(persisted{entries})).empty());
    auto asked = sent<request_vote>(x.sync());
    REQUIRE(asked.size() == 2);
    CHECK(asked[0].second.last == at(1, 1));
  }

  TEST_CASE("a follower that hears its leader never campaigns") {
    lone_core x{{}};
    for (int i = 0; i < 30; ++i) {
      x.receive(2, heartbeat{.term = term(1)});
      x.sync();
      x.tick(9);
      CHECK(x.status().leader == node_id{2});
      x.receive(2, append_entries{.term = term(1)});
      x.tick(9);
      CHECK(x.status().leader == node_id{2});
    }
  }

  TEST_CASE("a candidate whose disk is stuck doesn't count up terms") {
    core_options options;
    options.pre_vote = false;
    lone_core x{{.options = options}};
    x.step(campaign{});
    x.tick(100);
    CHECK(x.status().term == term(1));
    x.sync();
    x.tick(100);
    CHECK(x.status().term > term(1));
  }

  TEST_CASE("a single voter elects itself once its vote is durable") {
    lone_core x{{.voters = {1}}};
    x.tick(20);
    CHECK(x.status().role == role::candidate);
    auto out = x.sync();
    CHECK(x.status().role == role::leader);
    REQUIRE(out.persist.has_value());
    CHECK(out.persist->entries.size() == 1);
    CHECK(x.status().commit == index_t{}); // S-30: not before its disk has the no-op.
    out = x.sync();
    CHECK(x.status().commit == index_t{1});
    CHECK(out.committed.size() == 1);
  }

  TEST_CASE("S-01 a vote leaves only once it is durable") {
    lone_core x{{}};
    auto out = x.receive(2, ask(1));
    CHECK(out.messages.empty());
    REQUIRE(out.persist.has_value());
    CHECK(out.persist->hard == hard_state{term(1), node_id{2}, {}});
    auto replies = sent<vote_reply>(x.sync());
    REQUIRE(replies.size() == 1);
    CHECK(replies[0].first == 2);
    CHECK(replies[0].second.granted);
  }

  TEST_CASE("P-03 a second candidate of the term is refused, also after a restart in between") {
    lone_core x{{}};
    x.receive(2, ask(1));
    x.sync();
    auto replies = sent<vote_reply>(x.receive(3, ask(1)));
    REQUIRE(replies.size() == 1);
    CHECK_FALSE(replies[0].second.granted);

    lone_core again{{.term = 1, .voted_for = 2}};
    replies = sent<vote_reply>(again.receive(3, ask(1)));
    REQUIRE(replies.size() == 1);
    CHECK_FALSE(replies[0].second.granted);
  }

  TEST_CASE("P-04 the same request twice is granted again") {
    lone_core x{{}};
    x.receive(2, ask(1));
    x.sync();
    auto replies = sent<vote_reply>(x.receive(2, ask(1)));
    REQUIRE(replies.size() == 1);
    CHECK(replies[0].second.granted);
  }

  TEST_CASE("a log that is behind gets no vote") {
    lone_core x{{.term = 3, .log = make_log({1, 1, 3})}};
    CHECK_FALSE(sent<vote_reply>((x.receive(2, ask(4, at(9, 2))), x.sync())).at(0).second.granted);
    CHECK_FALSE(sent<vote_reply>((x.receive(2, ask(5, at(2, 3))), x.sync())).at(0).second.granted);
    CHECK(sent<vote_reply>((x.receive(2, ask(6, at(3, 3))), x.sync())).at(0).second.granted);
    CHECK(sent<vote_reply>((x.receive(2, ask(7, at(1, 4))), x.sync())).at(0).second.granted);
  }

  TEST_CASE("S-02 a late vote of an older term isn't counted") {
    auto x = candidate();
    x.tick(20);
    x.sync();
    REQUIRE(x.status().term == term(2));
    x.receive(2, grant(1));
    CHECK(x.status().role == role::candidate);
    CHECK(x.status().noise.stale_term == 1);
  }

  TEST_CASE("S-03 a vote that comes three times is one vote") {
    auto x = candidate({1, 2, 3, 4, 5});
    for (int i = 0; i < 3; ++i)
      x.receive(2, grant(1));
    CHECK(x.status().role == role::candidate);
    x.receive(3, grant(1));
    CHECK(x.status().role == role::leader);
  }

  TEST_CASE("S-04 L-12 only voters of the configuration count, not strangers or learners") {
    core_options options;
    options.pre_vote = false;
    lone_core x{{.learners = {4}, .options = options}};
    x.step(campaign{});
    x.sync();
    x.receive(4, grant(1));
    x.receive(9, grant(1));
    CHECK(x.status().role == role::candidate);
    CHECK(x.status().noise.not_member == 2);
    x.receive(9, vote_reply{.term = term(50)});   // A stranger's term doesn't count either.
    x.receive(9, append_reply{.term = term(50)}); // S-72
    x.receive(9, heartbeat_reply{.term = term(50)});
    CHECK(x.status().term == term(1));
    CHECK(x.status().noise.not_member == 5);
  }

  TEST_CASE("P-01 a message of an older term changes nothing and is answered with ours") {
    lone_core x{{.term = 5}};
    lone_core untouched{{.term = 5}};
    for (int i = 0; i < 30 && untouched.status().role == role::follower; ++i) {
      CHECK(sent<append_reply>(x.receive(2, append_entries{.term = term(4)})).at(0).second.term
            == term(5));
      CHECK(x.receive(2, heartbeat{.term = term(4)}).heartbeat_replies.at(0).term == term(5));
      CHECK(sent<vote_reply>(x.receive(2, ask(4))).at(0).second.term == term(5));
      CHECK(x.status().leader == node_id{});
      x.tick();
      untouched.tick();
    }
    CHECK(x.status().role == role::pre_candidate);
  }

  TEST_CASE("P-02 a higher term is durable before anything is said in it") {
    lone_core x{{}};
    auto out = x.receive(2, append_entries{.term = term(3)});
    CHECK(out.messages.empty());
    CHECK(x.receive(2, heartbeat{.term = term(3)}).heartbeat_replies.empty());
    CHECK(sent<append_reply>(x.sync()).size() == 1);
    CHECK(x.receive(2, heartbeat{.term = term(3)}).heartbeat_replies.size() == 1);
  }

  TEST_CASE("S-16 a candidate follows the leader of its own term") {
    auto x = candidate();
    x.receive(3, heartbeat{.term = term(1)});
    CHECK(x.status().role == role::follower);
    CHECK(x.status().leader == node_id{3});
  }

  TEST_CASE("a learner forgets a leader that is silent for a timeout") {
    lone_core x{{.self = 4, .learners = {4}}};
    x.receive(2, heartbeat{.term = term(1)});
    x.sync();
    CHECK(x.status().leader == node_id{2});
    x.tick(20);
    CHECK(x.status().leader == node_id{});
    CHECK(x.status().role == role::follower);
  }

  TEST_CASE("granting a vote gives the candidate time to win") {
    lone_core x{{}};
    lone_core untouched{{}};
    for (int i = 0; i < 9; ++i) {
      x.tick();
      untouched.tick();
    }
    x.receive(2, ask(1));
    x.sync();
    for (int i = 0; i < 30 && untouched.status().role == role::follower; ++i) {
      x.tick();
      untouched.tick();
    }
    CHECK(x.status().role == role::follower);
  }

  TEST_CASE("a disk or machine that vouches for what it was never given stops the replica") {
    lone_core x{{}};
    CHECK_THROWS_AS(x.feed(persisted{persist_seq{1}}), invariant_violation);
    lone_core y{{}};
    CHECK_THROWS_AS(y.feed(applied{index_t{1}}), invariant_violation);
  }

  TEST_CASE("S-64 a learner that is asked votes, but never campaigns") {
    lone_core x{{.self = 4, .learners = {4}}};
    x.receive(2, ask(1));
    CHECK(sent<vote_reply>(x.sync()).at(0).second.granted);
    CHECK(x.tick(100).messages.empty());
    x.step(campaign{});
    CHECK(x.status().role == role::follower);
    CHECK(x.status().term == term(1));
  }

  TEST_CASE("S-11 a leader that hears no majority for a timeout steps down") {
    lone_core x{{.voters = {1, 2, 3, 4, 5}}};
    x.step(campaign{});
    x.receive(2, pre_grant(1));
    x.receive(3, pre_grant(1));
    x.sync();
    x.receive(2, grant(1));
    x.receive(3, grant(1));
    REQUIRE(x.status().role == role::leader);
    x.sync();
    for (int round = 0; round < 3; ++round) {
      x.receive(2, heartbeat_reply{.term = term(1)});
      x.receive(3, heartbeat_reply{.term = term(1)});
      x.tick(10);
      CHECK(x.status().role == role::leader);
    }
    x.receive(2, heartbeat_reply{.term = term(1)}); // With itself two of five.
    x.tick(10);
    CHECK(x.status().role == role::follower);
    CHECK(x.status().term == term(1));
    CHECK(x.status().leader == node_id{});
  }
}
