#pragma once

#include <cstdint>

namespace caucus {

/// A small seeded generator (SplitMix64): the same seed gives the same numbers on every platform.
/// Not for secrets.
class rng {
public:
  explicit constexpr rng(uint64_t seed) noexcept : state_{seed} {}

  constexpr uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15u;
    return mix(state_);
  }

  /// Uniform in [0, bound), up to a bias of bound / 2^64. Precondition: `bound > 0`.
  constexpr uint64_t below(uint64_t bound) noexcept {
    __extension__ using uint128 = unsigned __int128; // Not ISO, but known to both our compilers.
    return static_cast<uint64_t>((uint128{next()} * bound) >> 64);
  }

  /// True in `percent` of 100 cases.
  constexpr bool chance(uint64_t percent) noexcept { return below(100) < percent; }

  /// A well-mixed hash of one number; chain it to combine several.
  static constexpr uint64_t mix(uint64_t x) noexcept {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  }

private:
  uint64_t state_;
};

} // namespace caucus
