// When a single core falls asleep, stays awake and wakes (REQUIREMENTS B7).

#include "tests/support/lone_core.hpp"
#include "tests/support/sleepy.hpp"

using namespace caucus;
using namespace caucus::test;
using raft::role;

namespace {

/// A leader of three that is idle up to the tick that sends it to sleep.
lone_core drowsy_leader() {
  lone_core x{{.options = sleepy()}};
  x.lead();
  x.sync();
  for (uint64_t id : {2, 3})
    x.receive(
      id, raft::append_reply{.term = x.status().term, .accepted = true, .match = x.status().last});
  x.step(raft::applied{x.status().last});
  x.tick(patience - 1);
  REQUIRE_FALSE(x.status().is_asleep);
  return x;
}

/// A follower of 2 in term 1 whose log ends with the committed entry 1.
lone_core idle_follower(raft::core_options how = sleepy()) {
  lone_core x{{.options = how}};
  x.receive(2, raft::append_entries{term_t{1}, {}, index_t{1}, {make_entry(1, 1)}});
  x.sync();
  return x;
}

const raft::quiesce good_night{term_t{1}, at(1, 1)};

} // namespace

TEST_SUITE("raft/core: quiescence") {
  TEST_CASE("without the option nobody is sent to sleep") {
    auto x = idle_follower({});
    x.receive(2, good_night);
    CHECK_FALSE(x.status().is_asleep);
  }

  TEST_CASE("late answers to the last heartbeats don't wake the leader, those of a later term do") {
    auto x = drowsy_leader();
    x.tick();
    REQUIRE(x.status().is_asleep);
    const auto out = x.receive(2, raft::heartbeat_reply{term_t{1}, {}});
    CHECK(x.status().is_asleep);
    CHECK(out.heartbeats.empty());
    x.receive(2, raft::heartbeat_reply{term_t{2}, {}});
    CHECK(x.status().role == role::follower);
    CHECK_FALSE(x.status().is_asleep);
  }

  TEST_CASE("a leader stays awake while anybody may need it") {
    auto x = drowsy_leader();
    SUBCASE("an entry that isn't committed") { x.propose(1, "x"); }
    SUBCASE("one that only its own disk lacks") {
      x.propose(1, "x");
      for (uint64_t id : {2, 3})
        x.receive(id, raft::append_reply{.term = term_t{1}, .accepted = true, .match = index_t{2}});
      REQUIRE(x.status().commit == index_t{2});
    }
    SUBCASE("one that its machine lacks") {
      x.propose(1, "x");
      x.sync();
      for (uint64_t id : {2, 3})
        x.receive(id, raft::append_reply{.term = term_t{1}, .accepted = true, .match = index_t{2}});
    }
    SUBCASE("a member that lags") {
      x.propose(1, "x");
      x.sync();
      x.receive(2, raft::append_reply{.term = term_t{1}, .accepted = true, .match = index_t{2}});
      x.step(raft::applied{index_t{2}});
      REQUIRE(x.status().applied == x.status().last);
    }
    SUBCASE("a read") { x.step(raft::read{request_id{1}}); }
    SUBCASE("a transfer") { x.step(raft::transfer{request_id{1}, node_id{2}}); }
    SUBCASE("a link that failed") { x.step(raft::peer_unreachable{node_id{3}}); }
    SUBCASE("nobody does") {
      const auto out = x.tick();
      CHECK(x.status().is_asleep);
      CHECK(out.heartbeats.empty()); // Or they would wake whom they meet.
      const auto said = sent<raft::quiesce>(out);
      REQUIRE(said.size() == 2);
      CHECK(said[0].second.last == at(1, 1));
      CHECK(said[0].second.term == term_t{1});
      return;
    }
    for (uint32_t i = 0; i < patience + 1; ++i)
      x.tick();
    CHECK_FALSE(x.status().is_asleep);
  }

  TEST_CASE("S-11 a leader that can't hear steps down, however often it is woken for nothing") {
    auto x = drowsy_leader();
    x.tick();
    REQUIRE(x.status().is_asleep);
    // As its shell would tell who sleeps; the node is none of its members.
    for (int i = 0; i < 40 && x.status().role == role::leader; ++i) {
      if (x.status().is_asleep)
        x.step(raft::peer_unreachable{node_id{9}});
      x.tick();
    }
    CHECK(x.status().role == role::follower);
  }

  TEST_CASE("a leader that woke sleeps again once all have answered it") {
    auto x = drowsy_leader();
    x.tick();
    x.step(raft::peer_unreachable{node_id{9}});
    x.receive(2, raft::heartbeat_reply{term_t{1}, {}});
    x.tick(patience + 2);
    CHECK_FALSE(x.status().is_asleep);
    x.receive(3, raft::heartbeat_reply{term_t{1}, {}});
    x.tick(patience + 2);
    CHECK(x.status().is_asleep);
  }

  TEST_CASE("an answered heartbeat ends the probe of who has everything, and of nobody else") {
    using state = raft::progress_state;
    auto x = drowsy_leader();
    x.step(raft::peer_unreachable{node_id{2}});
    x.step(raft::peer_unreachable{node_id{3}});
    REQUIRE(peer(x, 3).state == state::probe);
    x.receive(3, raft::heartbeat_reply{term_t{1}, {}});
    CHECK(peer(x, 3).state == state::replicate);
    CHECK(peer(x, 3).next == index_t{2});
    // One append until it is answered: 2 may have lost what it was sent before.
    x.propose(1, "x");
    const auto out = x.receive(2, raft::heartbeat_reply{term_t{1}, {}});
    CHECK(appends_to(2, out).size() == 1);
    CHECK(peer(x, 2).state == state::probe);
    x.propose(2, "y");
    CHECK(peer(x, 2).next == index_t{2});
  }

  TEST_CASE("a follower sleeps only on the leader's very log, and commits all of it") {
    auto x = idle_follower();
    SUBCASE("not all of it") {
      const auto said =
        sent<raft::append_reply>(x.receive(2, {raft::quiesce{term_t{1}, at(2, 1)}}));
      REQUIRE(said.size() == 1); // It wakes the leader, which repairs that.
      CHECK_FALSE(said[0].second.accepted);
      CHECK(said[0].second.prev == index_t{2});
      CHECK(x.status().commit == index_t{1});
    }
    SUBCASE("more than that") { // The word of an earlier idleness comes late.
      x.receive(2, raft::append_entries{term_t{1}, at(1, 1), index_t{1}, {make_entry(2, 1)}});
      x.sync();
      const auto said = sent<raft::append_reply>(x.receive(2, good_night));
      REQUIRE(said.size() == 1);
      CHECK(said[0].second.accepted);
      CHECK(said[0].second.match == index_t{1});
    }
    SUBCASE("of another leader") {
      x.receive(3, raft::append_entries{term_t{2}, at(1, 1), index_t{1}, {make_entry(2, 2)}});
      x.sync();
      const auto said = sent<raft::append_reply>(x.receive(2, good_night));
      REQUIRE(said.size() == 1); // So that the old one learns of the term.
      CHECK(said[0].second.term == term_t{2});
      CHECK(x.status().leader == node_id{3});
    }
    SUBCASE("the same") {
      const auto out = x.receive(2, good_night);
      CHECK(x.status().is_asleep);
      CHECK(out.messages.empty());
      return;
    }
    CHECK_FALSE(x.status().is_asleep);
  }

  TEST_CASE("a follower commits what it sleeps on") {
    lone_core x{{.options = sleepy()}};
    x.receive(2, raft::append_entries{term_t{1}, {}, {}, {make_entry(1, 1)}});
    x.sync();
    REQUIRE(x.status().commit == index_t{});
    const auto out = x.receive(2, good_night);
    CHECK(x.status().commit == index_t{1});
    CHECK(out.committed.size() == 1);
    CHECK(x.status().is_asleep);
    x.sync();
    x.step(raft::applied{index_t{1}});
    CHECK(x.status().is_asleep);
  }

  TEST_CASE("a follower whose own requests wait doesn't sleep") {
    auto x = idle_follower();
    SUBCASE("a command") { x.propose(1, "x"); }
    SUBCASE("a read") { x.step(raft::read{request_id{1}}); }
    CHECK(sent<raft::append_reply>(x.receive(2, good_night)).size() == 1);
    CHECK_FALSE(x.status().is_asleep);
  }

  TEST_CASE("a follower doesn't sleep over a failed read for its machine: only ticks ask again") {
    lone_core x{{.term = 1, .log = make_log({1, 1}), .in_memory = 0, .options = sleepy()}};
    const raft::quiesce word{term_t{1}, at(2, 1)};
    CHECK(x.receive(2, word).reads.size() == 1);
    CHECK(x.status().is_asleep);
    const raft::log_read_done failed{node_id{1}, index_t{1}, {}};
    SUBCASE("that fails while it sleeps") {
      CHECK(x.step(failed).reads.empty());
      CHECK_FALSE(x.status().is_asleep);
    }
    SUBCASE("that has failed already") {
      x.step(failed);
      CHECK(sent<raft::append_reply>(x.receive(2, word)).size() == 1);
      CHECK_FALSE(x.status().is_asleep);
    }
    CHECK(x.tick().reads.size() == 1);
    CHECK(x.step(raft::log_read_done{node_id{1}, index_t{1}, make_log({1, 1})}).committed.size()
          == 2);
    x.receive(2, word);
    CHECK(x.status().is_asleep);
  }

  TEST_CASE("who wakes waits a whole timeout before it campaigns") {
    auto x = idle_follower();
    x.receive(2, good_night);
    x.tick(100);
    SUBCASE("its leader's node is gone") {
      x.step(raft::peer_unreachable{node_id{3}}); // Not its business.
      CHECK(x.status().is_asleep);
      x.step(raft::peer_unreachable{node_id{2}});
    }
    SUBCASE("another asks for a vote: it says that it follows") {
      const auto said =
        sent<raft::vote_reply>(x.receive(3, raft::request_vote{term_t{2}, at(1, 1), true}));
      REQUIRE(said.size() == 1);
      CHECK_FALSE(said[0].second.granted);
    }
    CHECK_FALSE(x.status().is_asleep);
    x.tick(9);
    CHECK(x.status().role == role::follower);
    CHECK_FALSE(sent<raft::request_vote>(x.tick(11)).empty());
  }

  TEST_CASE("after its leader's link failed it doesn't sleep for a timeout, whatever comes late") {
    auto x = idle_follower();
    x.step(raft::peer_unreachable{node_id{2}});
    x.receive(2, good_night);
    CHECK_FALSE(x.status().is_asleep);
    x.tick(9);
    x.receive(2, good_night);
    CHECK_FALSE(x.status().is_asleep);
    x.tick();
    x.receive(2, good_night);
    CHECK(x.status().is_asleep);
  }

  TEST_CASE("sleep needs pre-votes: who lost touch must not depose a leader by looking for it") {
    auto how = sleepy();
    how.pre_vote = false;
    CHECK_THROWS_AS((lone_core{{.options = how}}), invariant_violation);
  }

  TEST_CASE("P-22 an impossible word to sleep is noise") {
    auto x = idle_follower();
    x.receive(2, raft::quiesce{term_t{2}, at(1, 1)}); // Its leader's last entry is of its term.
    x.receive(2, raft::quiesce{term_t{}, {}});
    CHECK(x.status().noise.invalid == 2);
    CHECK(x.status().term == term_t{1});
    CHECK_FALSE(x.status().is_asleep);
  }
}
