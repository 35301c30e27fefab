// Who is removed, and how it hears of it.

#include "membership/configuration_codec.hpp"
#include "tests/support/changing_cluster.hpp"

using namespace caucus;
using namespace caucus::test;
using raft::role;

namespace {

/// Follows node 2, in whose term the entry 2 says that only `voters` are left.
lone_core reduced_to(std::vector<uint64_t> voters, uint64_t self, uint64_t commit) {
  membership::configuration members;
  members.voters = node_set(voters);
  lone_core x{{.self = self, .term = 1}};
  auto change = std::make_shared<raft::entry>(*make_entry(2, 1));
  change->body = {.kind = raft::entry_kind::configuration,
                  .payload = shared_bytes::copy_of(membership::encode_payload(members))};
  x.receive(2, raft::append_entries{term_t{1}, {}, index_t{commit}, {make_entry(1, 1), change}});
  x.sync();
  return x;
}

raft::ready wait_in_vain(lone_core& x) {
  return x.tick(40); // Twice the longest timeout.
}

} // namespace

TEST_SUITE("raft/core: leaving members") {
  TEST_CASE("M-04 S-70 a leader that removes itself commits without counting itself, then goes") {
    auto x = group_of({1, 2, 3, 4});
    x.isolate(3), x.isolate(4);
    x.change(1, only(kind::remove, 1));
    x.settle();
    // 1 and 2 have it: two, of whom one counts, out of three.
    CHECK(x.status(1).commit < x.status(1).configuration_id);
    CHECK(x.status(1).role == role::leader);
    const auto request = x.propose(1);
    x.settle();
    CHECK_FALSE(x.is_committed(request));
    x.heal();
    pass_time(x, 3);
    CHECK(x.is_committed(request));
    CHECK(x.leader() != 1);
    CHECK(x.leader() != 0); // It was handed over: nobody waited for a timeout.
    CHECK(x.status(1).role != role::leader);
    for (uint64_t id : {2, 3, 4})
      check_members(x, id, {2, 3, 4});
    const auto term = x.status(2).term;
    pass_time(x, 100);
    CHECK(x.status(2).term == term); // And it stays quiet.
  }

  TEST_CASE("M-04 a leader that becomes a learner goes on as one") {
    auto x = group_of({1, 2, 3});
    x.change(1, only(kind::make_learner, 1));
    x.settle();
    pass_time(x, 3);
    CHECK(x.leader() > 1);
    const auto request = x.propose(1); // Forwarded.
    x.settle();
    CHECK(x.is_committed(request));
    CHECK(x.applied(1).size() == x.status(x.leader()).commit.value());
  }

  TEST_CASE("a leader whom nobody can follow leaves none the less") {
    auto x = group_of({1, 2, 3});
    x.change(1, at_once({change_of(kind::remove, 1)}, change_mode::joint));
    x.hold = [](const auto& p) { return std::holds_alternative<raft::timeout_now>(p.body); };
    x.settle();
    CHECK(x.status(1).role == role::leader); // Until it knows that another leads, or gives up.
    pass_time(x, 12);
    CHECK(x.status(1).role != role::leader);
    x.hold = nullptr;
    REQUIRE(x.tick_until_leader(100));
    CHECK(x.leader() != 1);
  }

  TEST_CASE("a removed member is told: it gets the entry and that it is committed") {
    auto x = group_of({1, 2, 3});
    x.change(1, only(kind::remove, 3));
    x.settle();
    CHECK(x.members(3).voters == node_set({1, 2}));
    CHECK(x.status(3).commit >= x.status(3).configuration_id);
    pass_time(x, 2);
    CHECK(x.status(1).peers.size() == 1);
    const auto before = x.status(1).term;
    pass_time(x, 100);
    CHECK(x.status(3).term == before); // It knows, and is silent.
  }

  TEST_CASE("a removed member that can't be told is given up after a while") {
    auto x = group_of({1, 2, 3});
    x.isolate(3);
    x.change(1, only(kind::remove, 3));
    x.settle();
    REQUIRE(x.status(1).peers.size() == 2);
    CHECK(x.status(1).peers[1].is_leaving);
    pass_time(x, 5);
    CHECK(x.status(1).peers.size() == 2);
    pass_time(x, 20);
    CHECK(x.status(1).peers.size() == 1);
  }

  TEST_CASE("a removed member is kept being told for as long as its removal isn't committed") {
    auto x = group_of({1, 2, 3});
    x.isolate(2), x.isolate(3);
    x.change(1, only(kind::remove, 3));
    x.settle();
    x.tick(1, 9);
    CHECK(x.status(1).peers.size() == 2);
    CHECK(x.status(1).peers[1].is_leaving);
  }

  TEST_CASE("M-05 S-14 a member that missed its removal disturbs nobody and is told") {
    for (const bool pre_vote : {true, false}) {
      CAPTURE(pre_vote);
      raft::core_options how;
      how.pre_vote = pre_vote;
      auto x = group_of({1, 2, 3, 4}, {}, {}, how);
      x.isolate(4);
      x.change(1, only(kind::remove, 4));
      x.settle();
      pass_time(x, 60); // Long given up.
      const auto before = x.status(1);
      REQUIRE(before.role == role::leader);
      x.heal();
      pass_time(x, 60);
      CHECK(x.status(1).role == role::leader);
      CHECK(x.status(1).term == before.term);
      CHECK(x.status(4).removed_by == before.configuration_id);
      CHECK(x.status(4).role == role::follower);
      const auto term = x.status(4).term;
      pass_time(x, 100);
      CHECK(x.status(4).term == term); // It has stopped.
    }
  }

  TEST_CASE("who was told campaigns again once its log says otherwise") {
    lone_core x{{.self = 3, .term = 1, .log = make_log({1})}};
    x.step(raft::campaign{});
    REQUIRE(x.status().role == role::pre_candidate);
    x.receive(2,
              raft::vote_reply{.term = term_t{1}, .is_pre_vote = true, .removed_by = index_t{5}});
    CHECK(x.status().role == role::follower);
    CHECK(x.status().removed_by == index_t{5});
    CHECK(sent<raft::request_vote>(x.tick(60)).empty());
    membership::configuration members;
    members.voters = node_set({1, 2, 3});
    auto later = std::make_shared<raft::entry>(*make_entry(6, 1));
    later->body = {.kind = raft::entry_kind::configuration,
                   .payload = shared_bytes::copy_of(membership::encode_payload(members))};
    std::vector<raft::entry_ptr> entries;
    for (uint64_t i = 2; i <= 5; ++i)
      entries.push_back(make_entry(i, 1));
    entries.push_back(later);
    x.receive(2, raft::append_entries{term_t{1}, at(1, 1), {}, entries});
    CHECK(x.status().removed_by == index_t{});
    x.sync();
    x.step(raft::campaign{});
    CHECK(x.status().role == role::pre_candidate);
  }

  TEST_CASE("only members are believed when they say so, and only of later configurations") {
    lone_core x{{.self = 3, .term = 1, .log = make_log({1})}};
    x.step(raft::campaign{});
    x.receive(9,
              raft::vote_reply{.term = term_t{1}, .is_pre_vote = true, .removed_by = index_t{5}});
    CHECK(x.status().removed_by == index_t{});
    CHECK(x.status().role == role::pre_candidate);
    auto y = reduced_to({1, 2, 3}, 3, 2);
    y.step(raft::campaign{});
    y.receive(2,
              raft::vote_reply{.term = term_t{1}, .is_pre_vote = true, .removed_by = index_t{1}});
    CHECK(y.status().removed_by == index_t{});
  }

  TEST_CASE("nobody is told that it was removed before that is committed") {
    for (const bool is_committed : {false, true}) {
      CAPTURE(is_committed);
      auto x = reduced_to({1, 2}, 1, is_committed ? 2 : 1);
      const auto out = x.receive(3, raft::request_vote{term_t{2}, at(1, 1), true});
      const auto replies = sent<raft::vote_reply>(out);
      REQUIRE(replies.size() == 1);
      CHECK(replies[0].second.removed_by == index_t{is_committed ? uint64_t{2} : 0});
    }
  }

  TEST_CASE("P-05 S-04 the vote of a removed member counts for nothing") {
    auto x = reduced_to({1, 2}, 1, 2);
    x.step(raft::campaign{});
    const auto grant = raft::vote_reply{.term = term_t{2}, .is_pre_vote = true, .granted = true};
    x.receive(3, grant);
    CHECK(x.status().role == role::pre_candidate); // 1, of two.
    x.receive(2, grant);
    CHECK(x.status().role == role::candidate);
  }

  TEST_CASE(
    "P-05 S-04 S-36 what a removed member says changes nothing any more, not even the term") {
    auto x = group_of({1, 2, 3});
    x.change(1, only(kind::remove, 3));
    x.settle();
    pass_time(x, 2);
    const auto term = x.status(1).term;
    x.step(1, raft::received{node_id{3}, raft::append_reply{.term = term + 5}});
    x.step(1, raft::received{node_id{3}, raft::heartbeat_reply{.term = term + 5}});
    CHECK(x.status(1).term == term);
    CHECK(x.status(1).role == role::leader);
  }

  TEST_CASE("the answers of a leaving member count for what it has, its term doesn't count") {
    auto x = group_of({1, 2, 3});
    x.isolate(3);
    x.change(1, only(kind::remove, 3));
    x.settle();
    const auto term = x.status(1).term;
    x.step(1, raft::received{node_id{3}, raft::append_reply{.term = term + 5}});
    CHECK(x.status(1).term == term);
    CHECK(x.status(1).role == role::leader);
  }

  TEST_CASE("M-03 S-67 a leader on an island can't remove everybody else") {
    raft::core_options how;
    how.check_quorum = false; // Else it would step down first.
    auto x = group_of({1, 2, 3, 4, 5}, {}, {}, how);
    x.isolate(1);
    const auto first = x.change(1, only(kind::remove, 2));
    CHECK(refusal(x, first) == errc::none);
    for (uint64_t other : {3, 4, 5})
      CHECK(refusal(x, x.change(1, only(kind::remove, other))) == errc::change_in_flight);
    const auto alone = x.propose(1);
    pass_time(x, 60);
    CHECK_FALSE(x.is_committed(alone));
    CHECK(x.status(1).commit < x.status(1).configuration_id);
    const auto request = x.propose(x.leader());
    pass_time(x, 3);
    CHECK(x.is_committed(request)); // The others go on.
    x.heal();
    pass_time(x, 60);
    check_members(x, 1, {1, 2, 3, 4, 5}); // Rolled back.
    CHECK_FALSE(x.is_committed(alone));
  }

  TEST_CASE("M-03 nor all of them at once") {
    raft::core_options how;
    how.check_quorum = false;
    auto x = group_of({1, 2, 3}, {}, {}, how);
    x.isolate(1);
    x.change(1, at_once({change_of(kind::remove, 2), change_of(kind::remove, 3)}));
    const auto alone = x.propose(1);
    pass_time(x, 60);
    CHECK(x.members(1).is_joint());
    CHECK_FALSE(x.is_committed(alone));
    x.heal();
    pass_time(x, 60);
    check_members(x, 1, {1, 2, 3});
  }

  TEST_CASE("a member that was removed and restarts with an old commit index stops once told") {
    auto x = reduced_to({1, 2}, 3, 1);
    // It can't know whether that is committed, and asks.
    CHECK_FALSE(sent<raft::request_vote>(wait_in_vain(x)).empty());
    x.receive(2,
              raft::vote_reply{.term = term_t{1}, .is_pre_vote = true, .removed_by = index_t{2}});
    CHECK(sent<raft::request_vote>(wait_in_vain(x)).empty());
  }
}
