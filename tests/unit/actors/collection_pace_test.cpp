#include "actors/collection_pace.hpp"

#include <doctest/doctest.h>

namespace caucus {

using namespace std::chrono_literals;

namespace {

/// All pauses that are due while nothing is appended.
std::chrono::nanoseconds all_pauses(collection_pace& pace, uint64_t appended) {
  std::chrono::nanoseconds sum{};
  for (auto one = pace.pause(appended); one.count() > 0; one = pace.pause(appended)) {
    CHECK(one <= 100ms); // Soon it sees whether something was appended.
    sum += one;
  }
  return sum;
}

} // namespace

TEST_CASE("the log is shortened at the rate that was given while nothing is appended") {
  collection_pace pace{1000};
  pace.work(1000);
  CHECK(all_pauses(pace, 0) == 1s);
  pace.work(10);
  CHECK(all_pauses(pace, 0) == 10ms);
}

TEST_CASE("what is appended speeds shortening up by four bytes for each, in bursts, too") {
  collection_pace pace{1000};
  pace.work(1000);
  CHECK(all_pauses(pace, 100) == 600ms);
  pace.work(1000);
  CHECK(pace.pause(100) == 100ms);
  CHECK(pace.pause(1100) == 0s); // Pays for 4000, of which 900 were owed.
  pace.work(3100);
  CHECK(all_pauses(pace, 1100) == 0s);
  pace.work(1000);
  CHECK(all_pauses(pace, 1100) == 1s);
}

TEST_CASE("what was appended while the log was short enough doesn't speed shortening up") {
  collection_pace pace{1000};
  pace.rest(5000);
  pace.work(1000);
  CHECK(all_pauses(pace, 5000) == 1s);
}

TEST_CASE("without a rate shortening never pauses, at the lowest it does not for ever") {
  collection_pace pace{0};
  pace.work(1 << 30);
  CHECK(pace.pause(0) == 0s);
  collection_pace slow{1};
  slow.work(2);
  CHECK(slow.pause(0) == 1s);
  CHECK(slow.pause(0) == 1s);
  CHECK(slow.pause(0) == 0s);
}

} // namespace caucus
