#include "membership/change_request.hpp"

#include <doctest/doctest.h>

namespace caucus::membership {

namespace {

using kind = enum member_change::kind;

endpoint address_of(uint64_t node) { return {"host", static_cast<uint16_t>(node)}; }

member_change change(kind what, uint64_t node) {
  return {what, node_id{node}, what == kind::remove ? endpoint{} : address_of(node)};
}

/// Voters 1 to 3, learner 4, staging 5.
configuration group() {
  configuration x;
  x.voters = {node_id{1}, node_id{2}, node_id{3}};
  x.learners = {node_id{4}, node_id{5}};
  x.staging = {node_id{5}};
  for (auto id : x.members())
    x.addresses.emplace(id, address_of(id.value()));
  return x;
}

std::string refusal(std::vector<member_change> changes, change_mode mode = change_mode::automatic) {
  const auto next = plan_change(group(), {.changes = std::move(changes), .mode = mode});
  if (next)
    return {};
  CHECK(next.reason().code == errc::invalid_change);
  return next.reason().what;
}

} // namespace

TEST_CASE("M-12 a change that changes nothing or can't be is refused with its reason") {
  CHECK(refusal({}) == "nothing is to change");
  CHECK(refusal({change(kind::make_voter, 0)}) == "a change names no node");
  CHECK(refusal({change(kind::make_voter, 2)}) == "node 2 is a voter already");
  CHECK(refusal({change(kind::make_staging, 2)}) == "node 2 is a voter already");
  CHECK(refusal({change(kind::make_learner, 4)}) == "node 4 is a learner already");
  CHECK(refusal({change(kind::make_staging, 5)})
        == "node 5 is already to become a voter once it has caught up");
  CHECK(refusal({change(kind::remove, 9)}) == "node 9 is no member");
  CHECK(refusal({change(kind::update, 9)}) == "node 9 is no member");
  CHECK(refusal({change(kind::update, 2)}) == "node 2 has this address already");
  CHECK(refusal({{kind::update, node_id{2}}}) == "the new address of node 2 is missing");
  CHECK(refusal({{kind::make_voter, node_id{9}}})
        == "node 9 is no member; to add it, give its address");
  CHECK(refusal({{kind::make_learner, node_id{9}, {"0.0.0.0", 1}}})
        == "node 9 can't be reached at 0.0.0.0:1");
  CHECK(refusal({{kind::make_learner, node_id{9}, {"host", 0}}})
        == "node 9 can't be reached at host:0");
  CHECK(refusal({{kind::make_learner, node_id{9}, address_of(2)}})
        == "node 2 and node 9 would both be at host:2");
  CHECK(refusal({{kind::update, node_id{4}, address_of(2)}})
        == "node 2 and node 4 would both be at host:2");
  CHECK(refusal({change(kind::remove, 4), change(kind::make_voter, 4)}) == "node 4 is named twice");
  CHECK(refusal({change(kind::remove, 1), change(kind::remove, 2), change(kind::remove, 3)})
        == "removed all voters");
  CHECK(refusal({change(kind::remove, 1), change(kind::remove, 2)}, change_mode::simple)
        == "more than one voter changed without entering joint config");
  CHECK(refusal({{kind::make_learner, node_id{9}, {std::string(254, 'x'), 1}}})
        == "the host of node 9 is longer than 253 bytes");
}

TEST_CASE("the last voter can't leave, whichever way") {
  configuration alone;
  alone.voters = {node_id{1}};
  for (auto what : {kind::remove, kind::make_learner})
    for (auto mode : {change_mode::automatic, change_mode::simple, change_mode::joint}) {
      const auto next = plan_change(alone, {.changes = {change(what, 1)}, .mode = mode});
      REQUIRE_FALSE(next.ok());
      CHECK(next.reason().what == "removed all voters");
    }
}

TEST_CASE("a group has room for so many members and no more") {
  auto full = group();
  for (uint64_t id = 6; id <= members_max; ++id)
    full.learners.insert(node_id{id});
  const auto next = plan_change(full, {.changes = {change(kind::make_learner, 1000)}});
  REQUIRE_FALSE(next.ok());
  CHECK(next.reason().what == "there would be more than 128 members");
}

TEST_CASE("one voter changes simply, more jointly, and joint mode always jointly") {
  const auto one = plan_change(group(), {.changes = {change(kind::make_voter, 9)}});
  REQUIRE(one.ok());
  CHECK_FALSE(one->is_joint());
  const auto two =
    plan_change(group(), {.changes = {change(kind::make_voter, 9), change(kind::remove, 1)}});
  REQUIRE(two.ok());
  CHECK(two->is_joint());
  CHECK(two->auto_leave);
  const auto asked =
    plan_change(group(), {.changes = {change(kind::make_voter, 9)}, .mode = change_mode::joint});
  REQUIRE(asked.ok());
  CHECK(asked->is_joint());
}

TEST_CASE("who takes the place of a leaving member may take its address at once") {
  const auto next = plan_change(
    group(), {.changes = {change(kind::remove, 3), {kind::make_voter, node_id{9}, address_of(3)}}});
  REQUIRE(next.ok());
  CHECK(next->is_joint());
  CHECK(next->addresses.at(node_id{9}) == address_of(3));
}

TEST_CASE("a staging member is a learner with a mark, which promotion, demotion and removal end") {
  const auto added = plan_change(group(), {.changes = {change(kind::make_staging, 9)}});
  REQUIRE(added.ok());
  CHECK(added->learners.contains(node_id{9}));
  CHECK(added->staging.contains(node_id{9}));
  for (auto what : {kind::make_voter, kind::make_learner, kind::remove}) {
    const auto next = plan_change(*added, {.changes = {change(what, 9)}});
    REQUIRE(next.ok());
    CHECK_FALSE(next->staging.contains(node_id{9}));
    CHECK(next->staging.contains(node_id{5}));
  }
}

TEST_CASE("steps that may follow one another are those whose quorums meet") {
  const auto before = group();
  auto after = before;
  after.voters.insert(node_id{9});
  CHECK(may_follow(before, after));
  after.voters.insert(node_id{10});
  CHECK_FALSE(may_follow(before, after));
  auto joint = after;
  joint.outgoing = before.voters;
  CHECK(may_follow(before, joint));
  CHECK(may_follow(joint, after));
  CHECK_FALSE(may_follow(joint, before));
  joint.outgoing = {node_id{1}};
  CHECK_FALSE(may_follow(before, joint));
}

} // namespace caucus::membership
