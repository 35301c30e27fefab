#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace caucus {

/// A 64-bit number that can't be mistaken for another kind of number: an index is not a term. Zero
/// is every kind's "none".
template <class Tag>
class strong_u64 {
public:
  constexpr strong_u64() noexcept = default;
  explicit constexpr strong_u64(uint64_t value) noexcept : value_{value} {}

  [[nodiscard]] constexpr uint64_t value() const noexcept { return value_; }
  explicit constexpr operator bool() const noexcept { return value_ != 0; }

  friend constexpr auto operator<=>(strong_u64, strong_u64) noexcept = default;

  constexpr strong_u64& operator++() noexcept {
    ++value_;
    return *this;
  }
  friend constexpr strong_u64 operator+(strong_u64 x, uint64_t n) noexcept {
    return strong_u64{x.value_ + n};
  }
  /// Precondition: `n <= x`; there is nothing before "none".
  friend constexpr strong_u64 operator-(strong_u64 x, uint64_t n) noexcept {
    return strong_u64{x.value_ - n};
  }
  /// The distance `x - y`. Precondition: `y <= x`.
  friend constexpr uint64_t operator-(strong_u64 x, strong_u64 y) noexcept {
    return x.value_ - y.value_;
  }

private:
  uint64_t value_ = 0;
};

} // namespace caucus

template <class Tag>
struct std::hash<caucus::strong_u64<Tag>> {
  size_t operator()(caucus::strong_u64<Tag> x) const noexcept {
    return std::hash<uint64_t>{}(x.value());
  }
};
