#include "apps/counter/members_answer.hpp"

#include <doctest/doctest.h>

namespace counter {

namespace {

caucus::group_members answer(uint64_t node, uint64_t configuration, uint64_t term = 3) {
  return {.node = node, .term = term, .is_member = true, .configuration = configuration};
}

caucus::group_members leaders(uint64_t node, uint64_t configuration, uint64_t term = 3) {
  auto x = answer(node, configuration, term);
  x.is_leader = true;
  return x;
}

members_answers of(std::vector<caucus::group_members> told) {
  members_answers x;
  for (auto& one : told)
    x.add(std::move(one));
  return x;
}

} // namespace

TEST_CASE("of several answers about the members a leader's is believed, without a warning") {
  const auto x = of({answer(1, 90), leaders(2, 17), answer(3, 95)});
  REQUIRE(x.best() != nullptr);
  CHECK(x.best()->node == 2);
  CHECK(x.warning().empty());
}

TEST_CASE("a leader of an older term than another node knows is one no more") {
  const auto x = of({leaders(1, 17, 3), answer(2, 40, 4)});
  CHECK(x.leaders() == nullptr);
  CHECK(x.best()->node == 2);
  const auto y = of({leaders(1, 17, 3), leaders(2, 40, 4)});
  REQUIRE(y.leaders() != nullptr);
  CHECK(y.leaders()->node == 2);
}

TEST_CASE("without a leader the newest configuration is told, and that it may be out of date") {
  const auto x = of({answer(1, 17), answer(2, 40), answer(3, 9)});
  REQUIRE(x.best() != nullptr);
  CHECK(x.best()->node == 2);
  CHECK(x.warning() == "no leader answers: this is what node 2 knows, and it may be out of date");
  CHECK(of({}).best() == nullptr);
  CHECK(of({}).warning().empty());
}

TEST_CASE("a removed or quarantined node's word on the members is marked as such") {
  auto removed = answer(3, 17);
  removed.is_member = false;
  auto broken = answer(2, 17);
  broken.fault = "wal_io_failed: no";
  CHECK(of({removed}).warning().find("node 3, which is no member itself, knows")
        != std::string::npos);
  CHECK(of({broken}).warning().find("node 2, which is quarantined (wal_io_failed: no), knows")
        != std::string::npos);
  CHECK(of({removed, answer(1, 17), broken}).best()->node == 1);
}

} // namespace counter
