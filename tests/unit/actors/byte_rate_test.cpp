#include "actors/byte_rate.hpp"

#include <doctest/doctest.h>

using namespace caucus;

namespace {

constexpr int64_t ms = 1'000'000;
constexpr int64_t start = int64_t{3600} * 1000 * ms;

} // namespace

TEST_SUITE("actors/byte_rate") {

  TEST_CASE("a rate allows what the time since makes of it, however often it is asked") {
    byte_rate rate{1'000'000};
    rate.spend(rate.allowance(start));
    uint64_t allowed = 0;
    for (int i = 1; i <= 1000; ++i) {
      const auto now = rate.allowance(start + i * ms);
      CHECK(now == 1000);
      rate.spend(now);
      allowed += now;
    }
    CHECK(allowed == 1'000'000);
  }

  TEST_CASE("who was silent for long catches up with 20 ms' worth") {
    byte_rate rate{1'000'000};
    CHECK(rate.allowance(start) == 20'000);
    CHECK(rate.allowance(start + 60'000 * ms) == 20'000);
  }

  TEST_CASE("what was spent beyond the rate is owed, and waited for") {
    byte_rate rate{1'000'000};
    rate.spend(rate.allowance(start) + 50'000);
    CHECK(rate.allowance(start) == 0);
    CHECK(rate.wait_ns(start) == 50 * ms);
    CHECK(rate.wait_ns(start + 20 * ms) == 30 * ms);
    CHECK(rate.allowance(start + 50 * ms) == 0);
    CHECK(rate.wait_ns(start + 51 * ms) == 0);
    CHECK(rate.allowance(start + 51 * ms) == 1000);
    rate.spend(500'000 + 1000);
    CHECK(rate.wait_ns(start + 451 * ms) == 100 * ms); // However long the time since.
  }

  TEST_CASE("the highest rate that can be set doesn't overflow") {
    byte_rate highest{uint64_t{1} << 40};
    CHECK(highest.allowance(start) == (uint64_t{1} << 40) / 50);
    highest.spend(uint64_t{1} << 42);
    CHECK(highest.wait_ns(start) == 3980 * ms);
  }

  TEST_CASE("no limit allows everything") {
    byte_rate none{0};
    none.spend(uint64_t{1} << 50);
    CHECK(none.allowance(start) == UINT64_MAX);
    CHECK(none.wait_ns(start) == 0);
  }

} // TEST_SUITE
