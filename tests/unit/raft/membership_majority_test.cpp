// Changes that would leave a group without a majority that its leader can reach.

#include "tests/support/changing_leader.hpp"

using namespace caucus;
using namespace caucus::test;

namespace {

/// A change that does not say "whatever it costs".
change_request careful(kind what, uint64_t node) {
  auto asked = only(what, node);
  asked.even_if_behind = false;
  return asked;
}

/// Two rounds of its check of the quorum, in which only `who` answer.
void hear_only(lone_core& x, const std::vector<uint64_t>& who) {
  for (uint32_t i = 0; i < 2 * raft::core_options{}.election_ticks; ++i) {
    x.tick();
    for (auto id : who)
      x.receive(id, raft::heartbeat_reply{x.status().term, {}});
  }
}

raft::refused_proposal only_refusal(lone_core& x, const change_request& asked) {
  const auto before = x.status().last;
  const auto out = x.propose_change(9, asked);
  REQUIRE(out.refused.size() == 1);
  CHECK(x.status().last == before);
  return out.refused[0];
}

} // namespace

TEST_SUITE("raft/core: changes that would stop the group") {
  TEST_CASE("a living voter is not removed or demoted while those that stay could not commit") {
    for (auto how : {kind::remove, kind::make_learner})
      for (uint64_t leaves : {1, 2}) { // The leader itself, too.
        auto x = leader();
        commit_all(x);
        hear_only(x, {2});
        const auto told = only_refusal(x, careful(how, leaves));
        CHECK(told.reason == errc::change_without_majority);
        CHECK(is_not_executed(told.reason));
        CHECK(told.detail
              == "node 3 has not answered lately: the voters that stay, "
                   + std::to_string(3 - leaves)
                   + " and 3, could not commit; bring it back or remove it first");
      }
  }

  TEST_CASE("whose link has just failed isn't counted on, until it is heard again") {
    auto x = leader();
    commit_all(x);
    hear_only(x, {2, 3});
    x.step(raft::peer_unreachable{node_id{3}});
    CHECK(only_refusal(x, careful(kind::remove, 2)).reason == errc::change_too_early);
    x.receive(3, raft::heartbeat_reply{x.status().term, {}});
    CHECK(answer(x, careful(kind::remove, 2)) == errc::none);
  }

  TEST_CASE("the dead one is removed, demoted and replaced") {
    for (auto how : {kind::remove, kind::make_learner, kind::update}) {
      auto x = leader();
      commit_all(x);
      hear_only(x, {2});
      auto asked = careful(how, 3);
      asked.changes[0].address = {"elsewhere", 7};
      CHECK(answer(x, asked) == errc::none);
    }
    auto x = leader();
    commit_all(x);
    hear_only(x, {2});
    auto asked = at_once({change_of(kind::make_staging, 4), change_of(kind::remove, 3)});
    asked.even_if_behind = false;
    CHECK(answer(x, asked) == errc::none);
  }

  TEST_CASE("a living voter leaves once the silent one answers, and at once if that is asked for") {
    auto x = leader();
    commit_all(x);
    hear_only(x, {2});
    SUBCASE("it answers") {
      x.receive(3, raft::heartbeat_reply{x.status().term, {}});
      CHECK(answer(x, careful(kind::remove, 2)) == errc::none);
    }
    SUBCASE("whatever it costs") { CHECK(answer(x, only(kind::remove, 2)) == errc::none); }
  }

  TEST_CASE("both halves of a joint phase must be able to commit") {
    raft::core_options how;
    how.check_quorum = false; // Answers count without it, too.
    auto x = leader(how);
    commit_all(x);
    hear_only(x, {});
    // Node 1 alone could, but until the phase ends the old voters decide as well.
    auto asked = at_once({change_of(kind::remove, 2), change_of(kind::remove, 3)});
    asked.even_if_behind = false;
    const auto told = only_refusal(x, asked);
    CHECK(told.reason == errc::change_without_majority);
    CHECK(told.detail
          == "nodes 2 and 3 have not answered lately: the voters so far, 1, 2 and 3, could not "
             "commit; bring them back or remove them first");
    CHECK(only_refusal(x, careful(kind::remove, 2)).reason == errc::change_without_majority);
    CHECK(only_refusal(x, careful(kind::make_learner, 4)).reason == errc::change_without_majority);
  }

  TEST_CASE("who has not had the time to answer a new leader only delays a change") {
    auto x = leader();
    commit_all(x);
    const auto told = only_refusal(x, careful(kind::remove, 2));
    CHECK(told.reason == errc::change_too_early);
    CHECK(
      told.detail
      == "node 3 has not had the time to answer this leader yet: the voters that stay, 1 and 3, "
         "could not be sure to commit; try again");
    CHECK(answer(x, careful(kind::remove, 3)) == errc::none); // Of it nothing is needed.
    auto y = leader();
    commit_all(y);
    y.receive(3, raft::heartbeat_reply{y.status().term, {}});
    CHECK(answer(y, careful(kind::remove, 2)) == errc::none);
  }

  TEST_CASE("nor does a leader that has slept believe what it heard before") {
    raft::core_options how;
    how.quiesce_ticks = 3;
    auto x = leader(how);
    commit_all(x);
    const auto everything =
      raft::append_reply{.term = x.status().term, .accepted = true, .match = x.status().last};
    for (int i = 0; i < 30 && !x.status().is_asleep; ++i) {
      x.step(raft::applied{x.status().commit});
      for (uint64_t id : {2, 3})
        x.receive(id, everything);
      x.tick();
    }
    REQUIRE(x.status().is_asleep);
    CHECK(only_refusal(x, careful(kind::remove, 2)).reason == errc::change_too_early);
    x.receive(3, raft::heartbeat_reply{x.status().term, {}});
    CHECK(answer(x, careful(kind::remove, 2)) == errc::none);
  }
}
