#include "membership/configuration_codec.hpp"
#include "tests/support/changing_cluster.hpp"

using namespace caucus;
using namespace caucus::test;

TEST_SUITE("raft/core: membership changes") {
  TEST_CASE("a new voter counts from the moment its entry is appended") {
    auto x = group_of({1, 2, 3}, {4});
    x.isolate(4), x.isolate(3);
    const auto added = x.change(1, only(kind::make_voter, 4));
    check_members(x, 1, {1, 2, 3, 4});
    const auto request = x.propose(1);
    x.settle();
    check_members(x, 2, {1, 2, 3, 4});
    CHECK(x.answer_to(added)->refused == errc::none);
    CHECK_FALSE(x.is_committed(request)); // Two of four.
    x.heal();
    pass_time(x, 3);
    CHECK(x.is_committed(request));
    check_members(x, 4, {1, 2, 3, 4});
    CHECK(x.applied(4).size() == x.status(1).commit.value());
  }

  TEST_CASE("many changes go through a joint phase that ends by itself") {
    auto x = group_of({1, 2, 3}, {4, 5, 6});
    x.change(1, at_once({change_of(kind::make_voter, 4), change_of(kind::make_voter, 5),
                         change_of(kind::remove, 2), change_of(kind::make_learner, 3),
                         change_of(kind::make_learner, 6)}));
    CHECK(x.members(1).is_joint());
    CHECK(x.members(1).voters == node_set({1, 4, 5}));
    CHECK(x.members(1).outgoing == node_set({1, 2, 3}));
    CHECK(x.members(1).learners_next == node_set({3}));
    x.settle();
    pass_time(x, 3);
    for (uint64_t id : {1, 3, 4, 5, 6})
      check_members(x, id, {1, 4, 5}, {3, 6});
    const auto request = x.propose(1);
    x.settle();
    CHECK(x.is_committed(request));
  }

  TEST_CASE("a joint phase needs a majority of both halves") {
    auto x = group_of({1, 2, 3}, {4, 5});
    SUBCASE("without the new half") { x.isolate(4), x.isolate(5); }
    SUBCASE("without the old half") { x.isolate(2), x.isolate(3); }
    const auto before = x.status(1).commit;
    x.change(1, at_once({change_of(kind::make_voter, 4), change_of(kind::make_voter, 5),
                         change_of(kind::remove, 2), change_of(kind::remove, 3)}));
    const auto request = x.propose(1);
    x.settle();
    CHECK(x.members(1).is_joint());
    CHECK(x.status(1).commit == before);
    x.heal();
    pass_time(x, 3);
    CHECK(x.is_committed(request));
    check_members(x, 1, {1, 4, 5});
  }

  TEST_CASE("a joint phase can be asked for although one voter differs, and simple be refused") {
    auto x = group_of({1, 2, 3}, {4, 5});
    const auto simple =
      x.change(1, at_once({change_of(kind::make_voter, 4), change_of(kind::make_voter, 5)},
                          change_mode::simple));
    REQUIRE(x.answer_to(simple).has_value());
    CHECK(x.answer_to(simple)->refused == errc::invalid_change);
    CHECK(x.answer_to(simple)->detail
          == "more than one voter changed without entering joint config");
    x.change(1, at_once({change_of(kind::make_voter, 4)}, change_mode::joint));
    CHECK(x.members(1).is_joint());
    x.settle();
    check_members(x, 1, {1, 2, 3, 4});
  }

  TEST_CASE("a follower sends a change on to the leader, and is told why one is refused") {
    auto x = group_of({1, 2, 3}, {4});
    const auto good = x.change(2, only(kind::make_voter, 4));
    x.settle();
    REQUIRE(x.answer_to(good).has_value());
    CHECK(x.answer_to(good)->refused == errc::none);
    check_members(x, 2, {1, 2, 3, 4});
    const auto bad = x.change(2, only(kind::remove, 9));
    x.settle();
    REQUIRE(x.answer_to(bad).has_value());
    CHECK(x.answer_to(bad)->refused == errc::invalid_change);
    CHECK(x.answer_to(bad)->detail == "node 9 is no member");
  }

  TEST_CASE("a change that nobody can lead to an end is refused at once") {
    lone_core x{{}};
    const auto out = x.propose_change(1, only(kind::remove, 2));
    REQUIRE(out.refused.size() == 1);
    CHECK(out.refused[0].reason == errc::no_leader);
    lone_core y{{.options = {.forward_proposals = false}}};
    y.receive(2, raft::heartbeat{term_t{1}, {}, {}});
    CHECK(y.propose_change(1, only(kind::remove, 2)).refused.at(0).reason == errc::not_leader);
  }

  TEST_CASE("nobody slips in a configuration: what is forwarded is a request, and judged") {
    lone_core x{{}};
    x.lead();
    membership::configuration alone;
    alone.voters = node_set({2});
    const auto out =
      x.receive(2, raft::forward_proposal{
                     request_id{5},
                     {.kind = raft::entry_kind::configuration,
                      .payload = shared_bytes::copy_of(membership::encode_payload(alone))}});
    const auto replies = sent<raft::forward_reply>(out);
    REQUIRE(replies.size() == 1);
    CHECK(replies[0].second.refused == errc::invalid_proposal);
    CHECK(x.status().members->voters == node_set({1, 2, 3}));
  }

  TEST_CASE("the shell is told of each configuration, when it is in force and when committed") {
    lone_core x{{}};
    x.lead();
    x.sync();
    x.receive(2, raft::append_reply{.term = term_t{1}, .accepted = true, .match = index_t{1}});
    auto out = x.propose_change(1, only(kind::remove, 3));
    REQUIRE(out.configuration.has_value());
    CHECK(out.configuration->id == index_t{2});
    CHECK(out.configuration->members->voters == node_set({1, 2}));
    CHECK_FALSE(out.configuration->is_committed);
    CHECK_FALSE(x.sync().configuration.has_value());
    out =
      x.receive(2, raft::append_reply{.term = term_t{1}, .accepted = true, .match = index_t{2}});
    REQUIRE(out.configuration.has_value());
    CHECK(out.configuration->id == index_t{2});
    CHECK(out.configuration->is_committed);
    CHECK(x.status().configuration_id == index_t{2});
  }

  TEST_CASE("an address changes in its entry, and nothing else does") {
    auto x = group_of({1, 2, 3});
    x.change(1, at_once({{kind::update, node_id{2}, {"elsewhere", 7}}}));
    x.settle();
    check_members(x, 3, {1, 2, 3});
    CHECK(x.members(3).addresses.at(node_id{2}) == endpoint{"elsewhere", 7});
  }

  TEST_CASE("S-65 who may be out, but has the longest log, still campaigns: nobody else can win") {
    for (auto what : {kind::remove, kind::make_learner}) {
      auto x = group_of({1, 2});
      x.settle();
      x.isolate(1);
      x.change(1, only(what, 1));
      x.sync(1);
      x.crash(1);
      x.wire.clear();
      x.heal();
      x.restart(1);
      check_members(x, 2, {1, 2});
      REQUIRE_FALSE(x.members(1).is_voter(node_id{1}));
      REQUIRE(x.tick_until_leader(100));
      pass_time(x, 50);
      CHECK(x.leader() == 2); // Once that is committed, the one that is out doesn't lead any more.
      CHECK_FALSE(x.members(2).is_voter(node_id{1}));
    }
  }

  TEST_CASE("S-69 the one that is left commits its own quorum of one") {
    auto x = group_of({1, 2});
    x.change(1, only(kind::remove, 2));
    x.sync(1); // The other hears nothing.
    CHECK(x.status(1).commit == x.status(1).last);
    const auto request = x.propose(1);
    x.settle();
    CHECK(x.is_committed(request));
  }
}
