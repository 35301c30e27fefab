#pragma once

#include "base/rng.hpp"

#include <bit>
#include <initializer_list>

namespace caucus::sim {

/// The distributions that the simulator draws from; whole numbers only, so that every compiler and
/// build draws the same.
class dice {
public:
  explicit dice(uint64_t seed) : rng_{seed} {}

  uint64_t next() noexcept { return rng_.next(); }
  /// Uniform in [0, bound); 0 for a bound of 0 or less.
  int64_t below(int64_t bound) noexcept {
    return bound <= 0 ? 0 : static_cast<int64_t>(rng_.below(static_cast<uint64_t>(bound)));
  }
  /// Uniform in [first, last].
  int64_t between(int64_t first, int64_t last) noexcept { return first + below(last - first + 1); }
  bool permille(int64_t x) noexcept { return x > 0 && below(1000) < x; }
  int64_t one_of(std::initializer_list<int64_t> values) noexcept {
    return values.begin()[below(static_cast<int64_t>(values.size()))];
  }

  /// About exponential: geometric in powers of two, linear in between.
  int64_t around(int64_t mean) noexcept {
    if (mean <= 0)
      return 0;
    const auto x = rng_.next();
    const auto halvings = std::countl_zero(x | 1);
    const auto fraction = static_cast<int64_t>(x & 1023);
    return mean * (halvings * 1024 + fraction) * 7 / (1024 * 10);
  }

private:
  rng rng_;
};

} // namespace caucus::sim
