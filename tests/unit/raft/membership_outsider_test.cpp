// What a node says that isn't in the group any more, or yet, and whom nobody would tell the rest.

#include "membership/configuration_codec.hpp"
#include "tests/support/changing_cluster.hpp"

using namespace caucus;
using namespace caucus::test;

namespace {

/// Follows node 2, whose entry 2 says that nodes 1 and 2 are left; this is node 3.
lone_core told_up_to(uint64_t commit) {
  membership::configuration members;
  members.voters = node_set({1, 2});
  lone_core x{{.self = 3, .term = 1}};
  auto change = std::make_shared<raft::entry>(*make_entry(2, 1));
  change->body = {.kind = raft::entry_kind::configuration,
                  .payload = shared_bytes::copy_of(membership::encode_payload(members))};
  x.receive(2, raft::append_entries{term_t{1}, {}, index_t{commit}, {make_entry(1, 1), change}});
  x.sync();
  return x;
}

/// Each of these would need an answer that nobody gives to this node.
void check_refuses_all(lone_core& x, const std::string& detail) {
  const auto check = [&](const raft::ready& out, uint64_t request) {
    REQUIRE(out.refused.size() == 1);
    CHECK(out.refused[0].request == request_id{request});
    CHECK(out.refused[0].reason == errc::not_member);
    CHECK(is_not_executed(out.refused[0].reason));
    CHECK(out.refused[0].detail == detail);
    CHECK(sent<raft::forward_proposal>(out).empty());
    CHECK(sent<raft::read_index>(out).empty());
  };
  check(x.propose(1, "x"), 1);
  check(x.propose_change(2, only(kind::remove, 2)), 2);
  check(x.step(raft::read{request_id{3}}), 3);
  check(x.step(raft::transfer{request_id{4}, node_id{2}}), 4);
  check(x.step(raft::step_down{request_id{5}}), 5);
  CHECK(x.step(raft::transfer{{}, node_id{2}}).refused.empty()); // Nobody waits for it.
  const auto stale = x.step(raft::read{request_id{6}, raft::consistency::stale});
  CHECK(stale.reads_ready.size() == 1); // What it has, it has.
}

} // namespace

TEST_SUITE("raft/core: nodes outside the group") {
  TEST_CASE("M-05 a removed node refuses at once what it can't follow to its end") {
    auto x = told_up_to(2);
    check_refuses_all(
      x, "node 3 is not in configuration 2, the newest that it knows: ask another node");
  }

  TEST_CASE("M-05 and so does one that another member told, whatever its own log says") {
    lone_core x{{.self = 3, .term = 1}};
    x.receive(2, raft::heartbeat{term_t{1}, {}, {}});
    CHECK(sent<raft::forward_proposal>(x.propose(1, "x")).size() == 1);
    x.step(raft::campaign{});
    const auto out = x.receive(
      1, raft::vote_reply{.term = term_t{1}, .is_pre_vote = true, .removed_by = index_t{17}});
    CHECK(out.left_after == index_t{});
    check_refuses_all(x, "node 3 is not in configuration 17, which removed it: ask another node");
  }

  TEST_CASE("M-05 a removal that isn't committed may be undone, and turns nobody away") {
    auto x = told_up_to(1);
    CHECK(sent<raft::forward_proposal>(x.propose(1, "x")).size() == 1);
  }

  TEST_CASE("a node that no configuration names yet refuses, with a leader or without one") {
    lone_core x{{.self = 4, .voters = {}}};
    const std::string why = "node 4 is no member of the group yet: ask another node";
    check_refuses_all(x, why);
    x.receive(2, raft::heartbeat{term_t{1}, {}, {}});
    check_refuses_all(x, why);
  }

  TEST_CASE("a learner sends on what it is asked") {
    lone_core x{{.self = 4, .learners = {4}}};
    x.receive(2, raft::heartbeat{term_t{1}, {}, {}});
    CHECK(sent<raft::forward_proposal>(x.propose(1, "x")).size() == 1);
    CHECK(sent<raft::read_index>(x.step(raft::read{request_id{2}})).size() == 1);
  }

  TEST_CASE(
    "what it had sent on is unknown as soon as it learns of its removal, reads are refused") {
    auto x = told_up_to(1);
    x.propose(7, "x");
    x.step(raft::read{request_id{8}});
    const auto out = x.receive(2, raft::heartbeat{term_t{1}, index_t{2}, {}});
    REQUIRE(out.refused.size() == 2);
    CHECK(out.refused[0].request == request_id{7});
    CHECK(out.refused[0].reason == errc::leadership_lost);
    CHECK_FALSE(is_not_executed(out.refused[0].reason)); // The leader may have taken it.
    CHECK(out.refused[1].request == request_id{8});
    CHECK(out.refused[1].reason == errc::read_unconfirmed);
    // What is placed up to here will still be told by our own log, later entries won't.
    CHECK(out.left_after == index_t{2});
    CHECK_FALSE(x.receive(2, raft::heartbeat{term_t{1}, index_t{2}, {}}).left_after.has_value());
  }

  TEST_CASE("M-04 a leader that removes itself takes commands until another can lead") {
    auto x = group_of({1, 2, 3});
    x.hold = [](const auto& p) { return std::holds_alternative<raft::append_reply>(p.body); };
    x.change(1, only(kind::remove, 1));
    const auto taken = x.propose(1);
    x.settle();
    CHECK(x.status(1).role == raft::role::leader);
    x.hold = nullptr;
    x.release();
    pass_time(x, 3);
    CHECK(x.is_committed(taken));
    REQUIRE(x.leader() > 1);
    CHECK(refusal(x, x.propose(1)) == errc::not_member);
  }

  TEST_CASE("who is added again is a member like any other") {
    auto x = group_of({1, 2, 3});
    x.change(1, only(kind::remove, 3));
    x.settle();
    CHECK(refusal(x, x.propose(3)) == errc::not_member);
    x.change(1, only(kind::make_voter, 3));
    pass_time(x, 3);
    const auto request = x.propose(3);
    pass_time(x, 3);
    CHECK(x.is_committed(request));
  }
}
