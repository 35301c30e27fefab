// When the leader takes a change, and when it doesn't.

#include "tests/support/changing_leader.hpp"

using namespace caucus;
using namespace caucus::test;

TEST_SUITE("raft/core: rules of membership changes") {
  TEST_CASE("M-01 a change before the leader has committed in its term is refused") {
    auto x = leader();
    CHECK(answer(x, only(kind::remove, 3)) == errc::change_too_early);
    commit_all(x);
    CHECK(answer(x, only(kind::remove, 3)) == errc::none);
  }

  TEST_CASE("M-02 S-62 a second change waits until the first is committed") {
    auto x = leader();
    commit_all(x);
    CHECK(answer(x, only(kind::remove, 3)) == errc::none);
    CHECK(answer(x, only(kind::make_voter, 4)) == errc::change_in_flight);
    commit_all(x);
    CHECK(answer(x, only(kind::make_voter, 4)) == errc::none);
  }

  TEST_CASE("M-02 and until its joint phase is left") {
    auto x = leader();
    commit_all(x);
    CHECK(answer(x, at_once({change_of(kind::make_learner, 3)}, change_mode::joint)) == errc::none);
    CHECK(answer(x, only(kind::make_voter, 4)) == errc::change_in_flight);
    commit_all(x); // The leader appends the end of the phase at once.
    CHECK_FALSE(x.status().members->is_joint());
    CHECK(answer(x, only(kind::make_voter, 4)) == errc::change_in_flight);
    commit_all(x);
    CHECK(answer(x, only(kind::make_voter, 4)) == errc::none);
  }

  TEST_CASE("M-12 what can't be changed leaves no entry") {
    auto x = leader();
    commit_all(x);
    CHECK(answer(x, at_once({})) == errc::invalid_change);
    CHECK(answer(x, only(kind::make_voter, 2)) == errc::invalid_change);
    CHECK(answer(x, only(kind::make_voter, 1)) == errc::invalid_change); // Itself.
    CHECK(answer(x, only(kind::remove, 9)) == errc::invalid_change);
    CHECK(answer(x, at_once({change_of(kind::remove, 1), change_of(kind::remove, 2),
                             change_of(kind::remove, 3)}))
          == errc::invalid_change);
  }

  TEST_CASE("a change that expects another configuration is refused") {
    auto x = leader();
    commit_all(x);
    auto asked = only(kind::remove, 3);
    asked.expected_id = index_t{77};
    CHECK(answer(x, asked) == errc::configuration_mismatch);
    CHECK(answer(x, only(kind::remove, 3)) == errc::none);
    commit_all(x);
    asked = only(kind::make_voter, 4);
    asked.expected_id = x.status().configuration_id;
    CHECK(answer(x, asked) == errc::none);
  }

  TEST_CASE("the first configuration's number, 0, can be expected like any other") {
    auto x = leader();
    commit_all(x);
    REQUIRE(x.status().configuration_id == index_t{});
    auto asked = only(kind::remove, 3);
    asked.expected_id = index_t{};
    CHECK(answer(x, asked) == errc::none);
    commit_all(x);
    asked = only(kind::make_voter, 4);
    asked.expected_id = index_t{};
    CHECK(answer(x, asked) == errc::configuration_mismatch);
    asked.expected_id.reset();
    CHECK(answer(x, asked) == errc::none);
  }

  TEST_CASE("a voter that has not caught up is taken only if that is asked for") {
    auto x = leader();
    commit_all(x);
    for (uint64_t i = 1; i <= 20; ++i)
      x.propose(i, "x");
    commit_all(x);
    auto asked = only(kind::make_voter, 4);
    asked.even_if_behind = false;
    const auto out = x.propose_change(9, asked);
    REQUIRE(out.refused.size() == 1);
    CHECK(out.refused[0].reason == errc::invalid_change);
    CHECK(out.refused[0].detail.find("node 4 has 0 of 21 entries") == 0);
    CHECK(answer(x, only(kind::make_learner, 4)) == errc::none);
    commit_all(x);
    // Nine tenths are enough: the rest is on its way.
    const auto last = x.status().last.value();
    x.receive(
      4, raft::append_reply{.term = term_t{1}, .prev = index_t{last - 1}, .hint = at(last - 3, 1)});
    x.receive(4, raft::append_reply{
                   .term = term_t{1}, .accepted = true, .match = index_t{last - last / 10 - 1}});
    CHECK(answer(x, asked) == errc::invalid_change);
    x.receive(4, raft::append_reply{
                   .term = term_t{1}, .accepted = true, .match = index_t{last - last / 10}});
    CHECK(answer(x, asked) == errc::none);
  }

  TEST_CASE("a leader that hands over, or has too much uncommitted, takes no change") {
    SUBCASE("hands over") {
      auto x = leader();
      commit_all(x);
      x.step(raft::transfer{request_id{1}, node_id{3}});
      CHECK(answer(x, only(kind::remove, 2)) == errc::handing_over);
    }
    SUBCASE("too much") {
      raft::core_options how;
      how.uncommitted_bytes_max = 1;
      auto x = leader(how);
      commit_all(x);
      x.propose(1, "x");
      CHECK(answer(x, only(kind::remove, 2)) == errc::proposal_dropped);
    }
  }

  TEST_CASE("S-61 a leader that missed an older change can't begin one that misses its majority") {
    // Four voters. 1 adds 5, which only 1 and 5 get to know; 2 leads without them and removes 4.
    auto x = group_of({1, 2, 3, 4}, {5});
    for (uint64_t id : {2, 3, 4})
      x.cut(1, id), x.cut(5, id), x.cut(id, 1), x.cut(id, 5);
    x.change(1, only(kind::make_voter, 5));
    x.settle();
    CHECK(x.members(5).voters.contains(node_id{5}));
    pass_time(x, 40);
    REQUIRE(x.leader() != 0);
    REQUIRE(x.leader() != 1);
    // The term's first entry is committed before the change: then 1 can't win any more.
    const auto second = x.leader();
    const uint64_t gone = second == 4 ? 3 : 4;
    x.isolate(gone);
    const auto removed = x.change(second, only(kind::remove, gone));
    x.settle();
    CHECK(refusal(x, removed) == errc::none);
    x.heal();
    x.step(1, raft::campaign{});
    x.settle();
    pass_time(x, 60);
    // Both configurations would otherwise have counted; the checks of every step would have thrown.
    CHECK_FALSE(x.members(1).voters.contains(node_id{5}));
    CHECK_FALSE(x.members(1).voters.contains(node_id{gone}));
  }

  TEST_CASE("S-61 nor can a leader begin one while its own term has nothing committed") {
    // As above, but 2 is asked before its first entry can have been committed.
    auto x = group_of({1, 2, 3, 4}, {5});
    for (uint64_t id : {2, 3, 4})
      x.cut(1, id), x.cut(5, id), x.cut(id, 1), x.cut(id, 5);
    x.change(1, only(kind::make_voter, 5));
    x.settle();
    x.hold = [](const auto& p) { return std::holds_alternative<raft::append_entries>(p.body); };
    x.elect(2);
    const auto removed = x.change(2, only(kind::remove, 4));
    CHECK(refusal(x, removed) == errc::change_too_early);
    check_members(x, 2, {1, 2, 3, 4});
    x.release();
    x.heal();
    pass_time(x, 60);
    check_members(x, 1, {1, 2, 3, 4});
  }

  TEST_CASE("S-62 a new leader doesn't leave a joint phase before its entry is committed") {
    auto x = group_of({1, 2, 3}, {4, 5});
    x.isolate(4), x.isolate(5), x.isolate(3);
    x.change(1, at_once({change_of(kind::make_voter, 4), change_of(kind::make_voter, 5),
                         change_of(kind::remove, 1), change_of(kind::remove, 3)}));
    x.settle();
    CHECK(x.members(2).is_joint());
    x.crash(1);
    x.heal();
    x.cut(2, 4), x.cut(2, 5); // 2 can win by its promises, but not commit.
    x.hold = [](const auto& p) { return std::holds_alternative<raft::append_entries>(p.body); };
    x.restart(1);
    pass_time(x, 40);
    for (auto id : x.ids())
      CHECK((x.members(id).is_joint() || x.members(id).voters == node_set({1, 2, 3})
             || x.members(id).voters.empty()));
    x.heal();
    x.release();
    pass_time(x, 60);
    for (uint64_t id : {2, 4, 5})
      check_members(x, id, {2, 4, 5});
  }
}
