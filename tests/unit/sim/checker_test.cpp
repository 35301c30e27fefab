#include "apps/sim/history/checker.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace caucus::sim::history;

namespace {

constexpr action get_it{.kind = action::kind::get};
constexpr action add(int64_t n) { return {.kind = action::kind::add, .argument = n}; }
constexpr action put(int64_t n) { return {.kind = action::kind::put, .argument = n}; }
constexpr action cas(int64_t from, int64_t to) {
  return {.kind = action::kind::cas, .argument = to, .expected = from};
}

operation done(action what, int64_t called, int64_t returned, int64_t told, bool is_ok = true) {
  return {.what = what, .called = called, .returned = returned, .told = {told, is_ok}};
}
operation open(action what, int64_t called) { return {.what = what, .called = called}; }

enum verdict judge(const std::vector<operation>& x) { return check(x).verdict; }

} // namespace

TEST_SUITE("sim/history") {
  TEST_CASE("an empty history is linearizable") { CHECK(judge({}) == verdict::linearizable); }

  TEST_CASE("operations one after the other must read what was written last") {
    CHECK(judge({done(put(1), 0, 1, 0), done(get_it, 2, 3, 1)}) == verdict::linearizable);
    CHECK(judge({done(put(1), 0, 1, 0), done(get_it, 2, 3, 0)}) == verdict::not_linearizable);
  }

  TEST_CASE("a stale read of an overwritten value isn't linearizable") {
    CHECK(judge({done(put(1), 0, 1, 0), done(put(2), 2, 3, 1), done(get_it, 4, 5, 1)})
          == verdict::not_linearizable);
  }

  TEST_CASE("concurrent operations may take effect in either order") {
    CHECK(judge({done(put(1), 0, 10, 0), done(get_it, 1, 2, 0)}) == verdict::linearizable);
    CHECK(judge({done(put(1), 0, 10, 0), done(get_it, 1, 2, 1)}) == verdict::linearizable);
  }

  TEST_CASE("two reads can't see a concurrent write and then not") {
    CHECK(judge({done(put(1), 0, 10, 0), done(get_it, 1, 2, 1), done(get_it, 3, 4, 0)})
          == verdict::not_linearizable);
  }

  TEST_CASE("a lost increment isn't linearizable") {
    CHECK(judge({done(add(1), 0, 1, 1), done(add(1), 2, 3, 2), done(get_it, 4, 5, 2)})
          == verdict::linearizable);
    CHECK(judge({done(add(1), 0, 1, 1), done(add(1), 2, 3, 1)}) == verdict::not_linearizable);
  }

  TEST_CASE("an increment that was executed twice isn't linearizable") {
    CHECK(judge({done(add(1), 0, 1, 1), done(get_it, 2, 3, 2)}) == verdict::not_linearizable);
  }

  TEST_CASE("an open operation may take effect, late, or never") {
    CHECK(judge({open(put(1), 0), done(get_it, 1, 2, 0)}) == verdict::linearizable);
    CHECK(judge({open(put(1), 0), done(get_it, 1, 2, 1)}) == verdict::linearizable);
    CHECK(judge({open(put(1), 0), done(get_it, 1, 2, 0), done(get_it, 3, 4, 1)})
          == verdict::linearizable);
  }

  TEST_CASE("an open operation doesn't take effect before it was called") {
    CHECK(judge({done(get_it, 0, 1, 1), open(put(1), 2)}) == verdict::not_linearizable);
  }

  TEST_CASE("an open operation takes effect once") {
    CHECK(
      judge({open(put(1), 0), done(get_it, 1, 2, 1), done(put(2), 3, 4, 1), done(get_it, 5, 6, 1)})
      == verdict::not_linearizable);
    CHECK(judge({open(add(1), 0), done(get_it, 1, 2, 1), done(get_it, 3, 4, 2)})
          == verdict::not_linearizable);
  }

  TEST_CASE("of equal open operations as many may have taken effect as are seen") {
    const std::vector<operation> adds{open(add(1), 0), open(add(1), 1), open(add(1), 2)};
    for (int64_t seen = 0; seen <= 4; ++seen) {
      auto all = adds;
      all.push_back(done(get_it, 5, 6, seen));
      CHECK(judge(all) == (seen <= 3 ? verdict::linearizable : verdict::not_linearizable));
    }
  }

  TEST_CASE("a compare-and-set that fails changes nothing and tells what it found") {
    CHECK(judge({done(put(1), 0, 1, 0), done(cas(2, 3), 2, 3, 1, false), done(get_it, 4, 5, 1)})
          == verdict::linearizable);
    CHECK(judge({done(put(1), 0, 1, 0), done(cas(1, 3), 2, 3, 1, false)})
          == verdict::not_linearizable);
  }

  TEST_CASE("of two compare-and-sets from one value only one succeeds") {
    CHECK(judge({done(cas(0, 1), 0, 10, 0), done(cas(0, 2), 0, 10, 1, false)})
          == verdict::linearizable);
    CHECK(judge({done(cas(0, 1), 0, 10, 0), done(cas(0, 2), 0, 10, 0)})
          == verdict::not_linearizable);
  }

  TEST_CASE("objects are judged apart and one bad object spoils the history") {
    auto other = done(get_it, 2, 3, 0);
    other.what.object = 1;
    CHECK(judge({done(put(1), 0, 1, 0), other}) == verdict::linearizable);
    other.told.value = 1;
    CHECK(judge({done(put(1), 0, 1, 0), other}) == verdict::not_linearizable);
  }

  TEST_CASE("at equal times the call comes first: they count as concurrent") {
    CHECK(judge({done(put(1), 0, 5, 0), done(get_it, 5, 6, 0)}) == verdict::linearizable);
  }

  TEST_CASE("too many possibilities are undecided, not good") {
    std::vector<operation> all;
    for (int64_t i = 1; i <= 40; ++i)
      all.push_back(open(put(i), i));
    all.push_back(done(get_it, 50, 51, 99));
    CHECK(check(all, 10).verdict == verdict::undecided);
    CHECK(check(all).verdict == verdict::not_linearizable);
    CHECK(check(all).why.find("client") != std::string::npos);
  }

  TEST_CASE("more operations at a time than a machine word has bits") {
    std::vector<operation> all;
    for (int64_t i = 1; i <= 130; ++i)
      all.push_back(done(add(1), i, 1000 + i, i));
    CHECK(judge(all) == verdict::linearizable);
    all.back().told.value = 129;
    CHECK(judge(all) == verdict::not_linearizable);
  }
}
