#include "tests/support/lone_core.hpp"

using namespace caucus;
using namespace caucus::test;
using namespace caucus::raft;

namespace {

constexpr term_t term(uint64_t x) { return term_t{x}; }

request_vote ask(uint64_t of_term, entry_id last = {}) {
  return {.term = term(of_term), .last = last};
}

request_vote sound_out(uint64_t of_term, entry_id last = {}) {
  return {.term = term(of_term), .last = last, .is_pre_vote = true};
}

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

TEST_SUITE("raft/core: pre-votes and loyalty") {
  TEST_CASE("a follower sounds the others out when its leader is silent for a timeout") {
    lone_core x{{}};
    uint32_t ticks = 0;
    ready out;
    for (; ticks < 100 && x.status().role == role::follower; ++ticks)
      out = x.tick();
    CHECK(ticks >= 10);
    CHECK(ticks < 20);
    CHECK(x.status().role == role::pre_candidate);
    auto asked = sent<request_vote>(out);
    REQUIRE(asked.size() == 2);
    CHECK(asked[0].first == 2);
    CHECK(asked[0].second.is_pre_vote);
    CHECK(asked[0].second.term == term(1));
    CHECK(x.status().term == term(0)); // A pre-vote enters no term.
    CHECK_FALSE(out.persist.has_value());
  }

  TEST_CASE("P-05 a pre-vote's answer isn't a vote, and a vote isn't a pre-vote's answer") {
    auto x = candidate();
    x.receive(2, pre_grant(1));
    x.receive(2, pre_grant(2));
    CHECK(x.status().role == role::candidate);
    CHECK(x.status().noise.stale_reply == 2);

    lone_core y{{}};
    y.step(campaign{});
    y.receive(2, vote_reply{.term = term(1), .granted = true});
    CHECK(y.status().role != role::candidate);
    CHECK(y.status().role != role::leader);
  }

  TEST_CASE("S-06 a leader refuses votes and pre-votes, however long nobody answered") {
    core_options options;
    options.check_quorum = false;
    lone_core x{{.options = options}};
    x.lead();
    x.sync();
    x.tick(50);
    auto replies = sent<vote_reply>(x.receive(3, sound_out(2, at(9, 1))));
    REQUIRE(replies.size() == 1);
    CHECK_FALSE(replies[0].second.granted);
    CHECK(x.receive(3, ask(2, at(9, 1))).messages.empty());
    CHECK(x.status().role == role::leader);
    CHECK(x.status().term == term(1));
    CHECK(x.status().noise.sticky == 1);
  }

  TEST_CASE("S-14 a follower that hears its leader ignores candidates of higher terms") {
    lone_core x{{}};
    x.receive(2, heartbeat{.term = term(1)});
    x.sync();
    x.tick(9);
    CHECK(x.receive(3, ask(2)).messages.empty());
    CHECK(x.status().term == term(1));
    CHECK_FALSE(sent<vote_reply>(x.receive(3, sound_out(2))).at(0).second.granted);

    SUBCASE("but not when the leader asked for the election (thesis 3.10)") {
      auto request = ask(2);
      request.is_transfer = true;
      x.receive(3, request);
      CHECK(sent<vote_reply>(x.sync()).at(0).second.granted);
    }
    SUBCASE("nor after a timeout without the leader") {
      x.tick();
      CHECK(sent<vote_reply>(x.receive(3, sound_out(2))).at(0).second.granted);
      x.receive(3, ask(2));
      CHECK(sent<vote_reply>(x.sync()).at(0).second.granted);
    }
  }

  TEST_CASE("S-08 a pre-vote is granted with the asked term and refused with the refuser's") {
    lone_core x{{.term = 1}};
    auto replies = sent<vote_reply>(x.receive(2, sound_out(6)));
    REQUIRE(replies.size() == 1);
    CHECK(replies[0].second.granted);
    CHECK(replies[0].second.term == term(6));

    lone_core ahead{{.term = 5, .log = make_log({5})}};
    replies = sent<vote_reply>(ahead.receive(3, sound_out(2)));
    REQUIRE(replies.size() == 1);
    CHECK_FALSE(replies[0].second.granted);
    CHECK(replies[0].second.term == term(5));

    lone_core behind{{.term = 1}};
    behind.step(campaign{});
    behind.receive(2, replies[0].second);
    CHECK(behind.status().term == term(5)); // It catches up.
    CHECK(behind.status().role == role::follower);
  }

  TEST_CASE("S-12 a new round of pre-votes forgets the old round's answers and the old leader") {
    lone_core x{{.voters = {1, 2, 3, 4, 5}}};
    x.receive(2, heartbeat{.term = term(1)});
    x.sync();
    x.step(campaign{});
    CHECK(x.status().leader == node_id{});
    CHECK(sent<vote_reply>(x.receive(3, sound_out(2))).at(0).second.granted);
    x.receive(4, pre_grant(2));
    x.step(campaign{});
    x.receive(5, pre_grant(2));
    CHECK(x.status().role == role::pre_candidate);
  }

  TEST_CASE("S-13 a pre-vote request changes neither term, vote nor timer") {
    lone_core x{{}};
    lone_core untouched{{}};
    for (uint32_t i = 0; i < 40 && untouched.status().role == role::follower; ++i) {
      x.tick();
      untouched.tick();
      auto out = x.receive(2, sound_out(7 + i));
      CHECK_FALSE(out.persist.has_value());
      CHECK(x.status().term == term(0));
      CHECK(x.status().voted_for == node_id{});
      CHECK(x.status().role == untouched.status().role);
    }
    CHECK(x.status().role == role::pre_candidate);
  }

  TEST_CASE("P-02 a granted pre-vote never raises the term, whatever it carries") {
    lone_core x{{}};
    x.step(campaign{});
    x.receive(2, pre_grant(70));
    CHECK(x.status().term == term(0));
    CHECK(x.status().role == role::pre_candidate);
  }

  TEST_CASE("a pre-candidate asks again soon, as who still trusted the old leader may not now") {
    lone_core x{{}};
    x.step(campaign{});
    x.receive(2, vote_reply{.term = term(0), .is_pre_vote = true});
    auto asked = sent<request_vote>(x.tick());
    REQUIRE(asked.size() == 2);
    x.receive(2, pre_grant(1));
    CHECK(x.status().role == role::candidate);
  }

  TEST_CASE("being told to campaign by the leader skips the pre-vote") {
    lone_core x{{}};
    x.receive(2, heartbeat{.term = term(1)});
    x.sync();
    x.receive(2, timeout_now{.term = term(1)});
    CHECK(x.status().role == role::candidate);
    auto asked = sent<request_vote>(x.sync());
    REQUIRE(asked.size() == 2);
    CHECK(asked[0].second.is_transfer);
    CHECK(asked[0].second.term == term(2));
  }
}
