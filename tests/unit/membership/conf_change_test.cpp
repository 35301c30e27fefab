#include "membership/conf_change.hpp"

#include "base/rng.hpp"

#include <doctest/doctest.h>

namespace caucus::membership {

namespace {

using kind = enum member_change::kind;

member_change change(enum member_change::kind what, uint64_t node, uint16_t port = 0) {
  return {what, node_id{node}, port == 0 ? endpoint{} : endpoint{"host", port}};
}

std::set<node_id> ids(std::initializer_list<uint64_t> values) {
  std::set<node_id> result;
  for (auto value : values)
    result.insert(node_id{value});
  return result;
}

configuration voters_of(std::initializer_list<uint64_t> values) {
  configuration x;
  x.voters = ids(values);
  for (auto id : x.voters)
    x.addresses.emplace(id, endpoint{"host", static_cast<uint16_t>(id.value())});
  return x;
}

bool is_majority(const std::set<node_id>& of, uint64_t members) {
  size_t count = 0;
  for (auto id : of)
    count += (members >> id.value()) & 1;
  return count > of.size() / 2;
}

bool decides(const configuration& x, uint64_t members) {
  return is_majority(x.voters, members) && (x.outgoing.empty() || is_majority(x.outgoing, members));
}

/// No two quorums of consecutive configurations are disjoint: what one decided, the other knows.
bool quorums_meet(const configuration& before, const configuration& after, uint64_t nodes) {
  const uint64_t all = (uint64_t{1} << (nodes + 1)) - 2;
  for (uint64_t some = 0; some <= all; some += 2)
    if (decides(before, some) && decides(after, all & ~some))
      return false;
  return true;
}

void check_shape(const configuration& x) {
  CHECK_FALSE(x.voters.empty());
  for (auto id : x.learners) {
    CHECK_FALSE(x.is_voter(id));
    CHECK_FALSE(x.learners_next.contains(id));
  }
  for (auto id : x.learners_next) {
    CHECK(x.outgoing.contains(id));
    CHECK_FALSE(x.voters.contains(id));
  }
  CHECK(x.addresses.size() == x.members().size());
  for (auto id : x.members())
    CHECK(x.addresses.contains(id));
}

} // namespace

TEST_CASE("a simple change adds, promotes, demotes or removes one voter") {
  const auto added = change_simply(voters_of({1, 2}), std::array{change(kind::make_voter, 3, 3)});
  REQUIRE(added.ok());
  CHECK(added->members.voters == ids({1, 2, 3}));
  CHECK(added->joined == ids({3}));
  CHECK(added->members.addresses.at(node_id{3}).port == 3);

  const auto demoted = change_simply(added->members, std::array{change(kind::make_learner, 3)});
  REQUIRE(demoted.ok());
  CHECK(demoted->members.learners == ids({3}));
  CHECK(demoted->joined.empty()); // It keeps its progress.
  CHECK(demoted->members.addresses.at(node_id{3}).port == 3);

  const auto removed = change_simply(demoted->members, std::array{change(kind::remove, 3)});
  REQUIRE(removed.ok());
  CHECK(removed->members == voters_of({1, 2}));
}

TEST_CASE("S-62 a simple change of two voters is refused") {
  const auto refused = change_simply(
    voters_of({1, 2, 3}), std::array{change(kind::make_voter, 4, 4), change(kind::remove, 1)});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.reason().what == "more than one voter changed without entering joint config");
}

TEST_CASE("any number of learners may come with a simple change") {
  const auto after = change_simply(
    voters_of({1}), std::array{change(kind::make_learner, 2, 2), change(kind::make_learner, 3, 3)});
  REQUIRE(after.ok());
  CHECK(after->members.learners == ids({2, 3}));
}

TEST_CASE("M-12 the last voter can't be removed") {
  CHECK_FALSE(change_simply(voters_of({1}), std::array{change(kind::remove, 1)}).ok());
  CHECK_FALSE(enter_joint(voters_of({1}), false, std::array{change(kind::make_learner, 1)}).ok());
}

TEST_CASE("in the joint phase a demoted voter votes on in the old half and is a learner after it") {
  const auto joint = enter_joint(voters_of({1, 2, 3}), true,
                                 std::array{change(kind::make_learner, 3), change(kind::remove, 2),
                                            change(kind::make_voter, 4, 4)});
  REQUIRE(joint.ok());
  CHECK(joint->members.voters == ids({1, 4}));
  CHECK(joint->members.outgoing == ids({1, 2, 3}));
  CHECK(joint->members.learners_next == ids({3}));
  CHECK(joint->members.auto_leave);
  CHECK(joint->members.addresses.contains(node_id{2})); // Still asked and sent to.

  const auto left = leave_joint(joint->members);
  REQUIRE(left.ok());
  CHECK(left->voters == ids({1, 4}));
  CHECK(left->learners == ids({3}));
  CHECK_FALSE(left->is_joint());
  CHECK_FALSE(left->auto_leave);
  CHECK_FALSE(left->addresses.contains(node_id{2}));
}

TEST_CASE("neither a second joint phase nor a simple change fits into a joint phase") {
  const auto joint = enter_joint(voters_of({1, 2, 3}), false, std::array{change(kind::remove, 3)});
  REQUIRE(joint.ok());
  CHECK_FALSE(enter_joint(joint->members, false, {}).ok());
  CHECK_FALSE(change_simply(joint->members, {}).ok());
  CHECK_FALSE(leave_joint(voters_of({1})).ok());
}

TEST_CASE("an update changes an address and nothing else, and only a member's") {
  const auto after = change_simply(
    voters_of({1, 2}), std::array{change(kind::update, 2, 99), change(kind::update, 7, 7)});
  REQUIRE(after.ok());
  CHECK(after->members.voters == ids({1, 2}));
  CHECK(after->members.addresses.at(node_id{2}).port == 99);
  CHECK_FALSE(after->members.addresses.contains(node_id{7}));
}

TEST_CASE("who is removed and added again at once starts anew") {
  const auto after = change_simply(
    voters_of({1, 2}), std::array{change(kind::remove, 2), change(kind::make_voter, 2, 2)});
  REQUIRE(after.ok());
  CHECK(after->joined == ids({2}));
}

TEST_CASE("S-61 after any chain of changes quorums of neighbouring configurations meet") {
  constexpr uint64_t nodes = 6;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    rng random{seed};
    auto now = voters_of({1, 2, 3});
    for (int step = 0; step < 12; ++step) {
      std::vector<member_change> changes;
      for (auto n = random.below(4); n > 0; --n) {
        const auto node = 1 + random.below(nodes);
        changes.push_back(
          change(static_cast<kind>(random.below(4)), node, static_cast<uint16_t>(node)));
      }
      configuration next;
      if (now.is_joint()) {
        next = *leave_joint(now);
      } else {
        auto changed = random.chance(50) ? change_simply(now, changes)
                                         : enter_joint(now, random.chance(50), changes);
        if (!changed)
          continue;
        next = changed->members;
      }
      CAPTURE(seed);
      check_shape(next);
      CHECK(quorums_meet(now, next, nodes));
      now = next;
    }
  }
}

} // namespace caucus::membership
