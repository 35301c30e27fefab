#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace caucus {

/// How many groups of a node look for a leader at a time: twice as many after each election timeout
/// in which the node's timer was on time, half as many whenever it was late, for then there are
/// more elections than there is time for. Owned by the pulse.
class election_pace {
public:
  static constexpr size_t at_least = 256;
  static constexpr size_t at_first = 1024;
  static constexpr size_t at_most = size_t{1} << 20;

  explicit election_pace(uint32_t election_ticks) noexcept : election_ticks_{election_ticks} {}

  void note(bool is_late) noexcept {
    if (is_late) {
      groups_ = std::max(groups_ / 2, at_least);
      on_time_ = 0;
    } else if (++on_time_ >= election_ticks_) {
      groups_ = std::min(groups_ * 2, at_most);
      on_time_ = 0;
    }
  }
  [[nodiscard]] size_t groups() const noexcept { return groups_; }

private:
  uint32_t election_ticks_;
  uint32_t on_time_ = 0;
  size_t groups_ = at_first;
};

} // namespace caucus
