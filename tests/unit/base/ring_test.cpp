#include "base/ring.hpp"

#include "base/rng.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <memory>

using namespace caucus;

TEST_SUITE("base/ring") {
  TEST_CASE("behaves like a deque, also while it grows and shrinks") {
    rng dice{5};
    ring<uint64_t> x;
    std::deque<uint64_t> plain;
    for (int step = 0; step < 200000; ++step) {
      const bool is_growing = (step / 20000) % 2 == 0;
      if (plain.empty() || dice.chance(is_growing ? 70 : 25)) {
        plain.push_back(dice.next());
        x.push_back(plain.back());
      } else if (dice.chance(70)) {
        REQUIRE(x.pop_front() == plain.front());
        plain.pop_front();
      } else if (dice.chance(90)) {
        x.pop_back();
        plain.pop_back();
      } else {
        const auto position = dice.below(std::min<size_t>(plain.size(), 20));
        x.erase(position);
        plain.erase(plain.begin() + static_cast<std::ptrdiff_t>(position));
      }
      REQUIRE(x.size() == plain.size());
      if (!plain.empty()) {
        REQUIRE(x.front() == plain.front());
        REQUIRE(x.back() == plain.back());
        const auto position = dice.below(plain.size());
        REQUIRE(x[position] == plain[position]);
      }
    }
  }

  TEST_CASE("lets go of what was taken out") {
    ring<std::shared_ptr<int>> x;
    auto value = std::make_shared<int>(1);
    x.push_back(value);
    x.push_back(value);
    x.push_back(value);
    CHECK(value.use_count() == 4);
    x.pop_front();
    CHECK(value.use_count() == 3);
    x.pop_back();
    CHECK(value.use_count() == 2);
    x.clear();
    CHECK(value.use_count() == 1);
    CHECK(x.empty());
  }
}
