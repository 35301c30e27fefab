#include "membership/quorum.hpp"

#include "base/rng.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace caucus;
using namespace caucus::membership;

namespace {

std::set<node_id> nodes(uint64_t first, uint64_t last) {
  std::set<node_id> out;
  for (auto id = first; id <= last; ++id)
    out.insert(node_id{id});
  return out;
}

index_t committed(const std::vector<uint64_t>& acknowledged) {
  return committed_index(nodes(1, acknowledged.size()),
                         [&](node_id id) { return index_t{acknowledged[id.value() - 1]}; });
}

vote_result tally(const std::vector<vote>& answers) {
  return tally_votes(nodes(1, answers.size()), [&](node_id id) { return answers[id.value() - 1]; });
}

constexpr auto yes = vote::granted;
constexpr auto no = vote::refused;
constexpr auto none = vote::missing;

} // namespace

TEST_SUITE("membership/quorum") {
  TEST_CASE("a majority's index commits") {
    CHECK(committed({7}) == index_t{7});
    CHECK(committed({7, 5}) == index_t{5});
    CHECK(committed({7, 5, 1}) == index_t{5});
    CHECK(committed({1, 9, 9, 1}) == index_t{1});
    CHECK(committed({0, 0, 9, 9, 9}) == index_t{9});
    CHECK(committed({0, 0, 0, 9, 9}) == index_t{0});
  }

  TEST_CASE("an empty set holds nothing back") {
    CHECK(committed({}) == unbounded_index);
    CHECK(tally({}) == vote_result::won);
    configuration plain;
    plain.voters = nodes(1, 3);
    CHECK(committed_index(plain, [](node_id) { return index_t{4}; }) == index_t{4});
  }

  TEST_CASE("both halves of a joint configuration must have an entry") {
    configuration joint;
    joint.voters = nodes(1, 3);
    joint.outgoing = nodes(3, 5);
    std::map<node_id, index_t> acknowledged = {{node_id{1}, index_t{9}},
                                               {node_id{2}, index_t{9}},
                                               {node_id{3}, index_t{6}},
                                               {node_id{4}, index_t{2}},
                                               {node_id{5}, index_t{4}}};
    CHECK(committed_index(joint, [&](node_id id) { return acknowledged[id]; }) == index_t{4});
  }

  TEST_CASE("an election is won, lost or open") {
    CHECK(tally({yes}) == vote_result::won);
    CHECK(tally({none}) == vote_result::pending);
    CHECK(tally({yes, none, no}) == vote_result::pending);
    CHECK(tally({yes, yes, none}) == vote_result::won);
    CHECK(tally({no, no, none}) == vote_result::lost);
    CHECK(tally({yes, yes, no, no}) == vote_result::lost); // Half is no majority.
    CHECK(tally({yes, yes, no, none}) == vote_result::pending);
  }

  TEST_CASE("a joint election is lost with one half, won with both") {
    configuration joint;
    joint.voters = nodes(1, 3);
    joint.outgoing = nodes(4, 6);
    auto result = [&](vote incoming, vote outgoing) {
      return tally_votes(joint, [=](node_id id) { return id.value() <= 3 ? incoming : outgoing; });
    };
    CHECK(result(yes, yes) == vote_result::won);
    CHECK(result(yes, none) == vote_result::pending);
    CHECK(result(none, yes) == vote_result::pending);
    CHECK(result(none, no) == vote_result::lost);
    CHECK(result(no, yes) == vote_result::lost);
  }

  TEST_CASE("agrees with counting, also beyond the usual number of voters") {
    rng dice{3};
    for (int round = 0; round < 2000; ++round) {
      std::vector<uint64_t> acknowledged(1 + dice.below(14));
      for (auto& x : acknowledged)
        x = dice.below(6);
      uint64_t best = 0;
      for (uint64_t index = 0; index < 6; ++index) {
        size_t holders = 0;
        for (auto x : acknowledged)
          holders += x >= index ? 1 : 0;
        if (2 * holders > acknowledged.size())
          best = index;
      }
      REQUIRE(committed(acknowledged) == index_t{best});
    }
  }
}
