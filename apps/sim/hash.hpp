#pragma once

#include "raft/entry.hpp"

#include <cstring>
#include <span>

namespace caucus::sim {

/// A running hash of numbers and bytes: the same on every compiler, fast, no defence against
/// malice.
class hasher {
public:
  explicit constexpr hasher(uint64_t start = 0) noexcept : state_{start} {}

  constexpr hasher& word(uint64_t x) noexcept {
    __extension__ using uint128 = unsigned __int128;
    const auto product = uint128{state_ ^ x ^ 0x2d358dccaa6c78a5u} * 0x8bb84b93962eacc9u;
    state_ = static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
    return *this;
  }
  template <class Tag>
  constexpr hasher& word(strong_u64<Tag> x) noexcept {
    return word(x.value());
  }

  hasher& bytes(std::span<const std::byte> x) noexcept {
    word(x.size());
    uint64_t next = 0;
    for (; x.size() >= sizeof next; x = x.subspan(sizeof next)) {
      std::memcpy(&next, x.data(), sizeof next);
      word(next);
    }
    if (!x.empty()) {
      next = 0;
      std::memcpy(&next, x.data(), x.size());
      word(next);
    }
    return *this;
  }

  [[nodiscard]] constexpr uint64_t value() const noexcept { return state_; }

private:
  uint64_t state_;
};

/// Of all that an entry says.
inline uint64_t hash_of(const raft::entry& x) noexcept {
  return hasher{x.id.index.value()}
    .word(x.id.term)
    .word(static_cast<uint64_t>(x.body.kind))
    .word(static_cast<uint64_t>(x.wall_ns))
    .word(x.body.session)
    .word(x.body.sequence)
    .word(x.body.lowest_unanswered)
    .bytes(x.body.payload.span())
    .value();
}

} // namespace caucus::sim
