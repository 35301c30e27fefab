#include "apps/sim/event_queue.hpp"

#include "apps/sim/dice.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <map>

using namespace caucus;
using namespace caucus::sim;

TEST_SUITE("sim/event queue") {

  TEST_CASE("events happen by time, and of two at the same time the older one first") {
    dice draw{7};
    event_queue queue;
    std::map<int64_t, std::deque<uint32_t>> expected;
    int64_t now_us = 0;
    uint32_t popped = 0;
    for (uint32_t next = 0; next < 20000 || !queue.empty();) {
      // Bursts at the same time, near, and so far that each bit of a time differs some day.
      for (auto burst = draw.below(4); next < 20000 && (burst > 0 || queue.empty()); --burst) {
        const auto at_us = now_us + (draw.below(int64_t{1} << draw.below(40)) & -draw.below(2));
        queue.push({.at_us = at_us, .arg = next, .kind = event_kind::client});
        expected[at_us].push_back(next++);
      }
      auto& [at_us, those] = *expected.begin();
      REQUIRE(queue.next_us() == at_us);
      const auto x = queue.pop();
      now_us = x.at_us;
      REQUIRE(x.at_us == at_us);
      REQUIRE(x.arg == those.front());
      ++popped;
      those.pop_front();
      if (those.empty())
        expected.erase(expected.begin());
    }
    CHECK(popped == 20000);
    CHECK(expected.empty());
  }

} // TEST_SUITE
