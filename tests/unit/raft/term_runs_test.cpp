#include "raft/term_runs.hpp"

#include "base/assert.hpp"
#include "base/rng.hpp"

#include <doctest/doctest.h>

using namespace caucus;
using namespace caucus::raft;

namespace {

entry_id at(uint64_t index, uint64_t term) { return {index_t{index}, term_t{term}}; }

/// 3:1 before | 4:1 5:1 6:3 7:3 8:7
term_runs example() {
  return {at(3, 1),
          {{index_t{4}, term_t{1}}, {index_t{6}, term_t{3}}, {index_t{8}, term_t{7}}},
          index_t{8}};
}

} // namespace

TEST_SUITE("raft/term_runs") {
  TEST_CASE("tells the term of every index from the compacted one on") {
    auto x = example();
    const uint64_t terms[] = {1, 1, 1, 3, 3, 7};
    for (uint64_t i = 3; i <= 8; ++i)
      CHECK(x.term_at(index_t{i}) == term_t{terms[i - 3]});
    CHECK(x.last_entry() == at(8, 7));
    CHECK_THROWS_AS((void)x.term_at(index_t{2}), invariant_violation);
    CHECK_THROWS_AS((void)x.term_at(index_t{9}), invariant_violation);
  }

  TEST_CASE("contains its entries and the one before them, and nothing else") {
    auto x = example();
    CHECK(x.contains(at(3, 1)));
    CHECK(x.contains(at(6, 3)));
    CHECK_FALSE(x.contains(at(6, 1)));
    CHECK_FALSE(x.contains(at(2, 1)));
    CHECK_FALSE(x.contains(at(9, 7)));
    CHECK(term_runs{}.contains({}));
    CHECK(term_runs{}.last_entry() == entry_id{});
  }

  TEST_CASE("finds the last entry that may agree with another log") {
    auto x = example();
    CHECK(x.last_up_to(index_t{8}, term_t{9}) == at(8, 7));
    CHECK(x.last_up_to(index_t{90}, term_t{7}) == at(8, 7));
    CHECK(x.last_up_to(index_t{8}, term_t{6}) == at(7, 3));
    CHECK(x.last_up_to(index_t{6}, term_t{3}) == at(6, 3));
    CHECK(x.last_up_to(index_t{8}, term_t{2}) == at(5, 1));
    CHECK(x.last_up_to(index_t{8}, term_t{0}) == at(3, 1));
    CHECK(x.last_up_to(index_t{3}, term_t{5}) == at(3, 1));
  }

  TEST_CASE("truncates within a run, at its start and down to nothing") {
    auto x = example();
    x.truncate_from(index_t{7});
    CHECK(x.last_entry() == at(6, 3));
    x.truncate_from(index_t{6});
    CHECK(x.last_entry() == at(5, 1));
    x.truncate_from(index_t{4});
    CHECK(x.last_entry() == at(3, 1));
    x.append(term_t{4});
    CHECK(x.last_entry() == at(4, 4));
    CHECK_THROWS_AS(x.truncate_from(index_t{3}), invariant_violation);
    CHECK_THROWS_AS(x.append(term_t{3}), invariant_violation);
  }

  TEST_CASE("behaves like a plain list of terms") {
    rng dice{7};
    for (int round = 0; round < 200; ++round) {
      term_runs runs;
      std::vector<uint64_t> plain = {0}; // plain[i]: term of index i.
      for (int change = 0; change < 50; ++change) {
        if (dice.chance(80) || plain.size() == 1) {
          plain.push_back(std::max<uint64_t>(1, plain.back() + (dice.chance(30) ? 1 : 0)));
          runs.append(term_t{plain.back()});
        } else {
          const auto from = 1 + dice.below(plain.size() - 1);
          plain.resize(from);
          runs.truncate_from(index_t{from});
        }
        REQUIRE(runs.last() == index_t{plain.size() - 1});
        const auto limit = dice.below(plain.size());
        const auto term = dice.below(plain.back() + 2);
        auto expected = limit;
        while (plain[expected] > term)
          --expected;
        REQUIRE(runs.last_up_to(index_t{limit}, term_t{term}) == at(expected, plain[expected]));
        for (uint64_t i = 0; i < plain.size(); ++i)
          REQUIRE(runs.term_at(index_t{i}) == term_t{plain[i]});
      }
    }
  }

  TEST_CASE("compacted runs say the same of what is left") {
    const std::vector<uint64_t> terms = {0, 1, 1, 3, 4, 4, 4};
    for (uint64_t upto = 0; upto < terms.size(); ++upto)
      for (uint64_t more = upto; more < terms.size(); ++more) {
        term_runs runs;
        for (uint64_t i = 1; i < terms.size(); ++i)
          runs.append(term_t{terms[i]});
        runs.compact(index_t{upto});
        runs.compact(index_t{more});
        CHECK(runs.before() == at(more, terms[more]));
        CHECK(runs.last_entry() == at(6, 4));
        for (uint64_t i = more; i < terms.size(); ++i)
          CHECK(runs.term_at(index_t{i}) == term_t{terms[i]});
        runs.append(term_t{5});
        CHECK(runs.last_entry() == at(7, 5));
        CHECK(runs.term_at(index_t{6}) == term_t{4});
      }
  }

  TEST_CASE("runs that can't be a log's are refused") {
    const std::vector<term_run> gap = {{index_t{2}, term_t{1}}};
    CHECK_THROWS_AS(term_runs({}, gap, index_t{2}), invariant_violation);
    CHECK_THROWS_AS(term_runs({}, {}, index_t{2}), invariant_violation);
    const std::vector<term_run> falling = {{index_t{1}, term_t{2}}, {index_t{2}, term_t{1}}};
    CHECK_THROWS_AS(term_runs({}, falling, index_t{2}), invariant_violation);
    const std::vector<term_run> beyond = {{index_t{1}, term_t{1}}, {index_t{5}, term_t{2}}};
    CHECK_THROWS_AS(term_runs({}, beyond, index_t{4}), invariant_violation);
  }
}
