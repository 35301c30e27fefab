#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>

namespace caucus {

/// How fast the log is shortened: at a low rate while nothing presses, as all of it takes the disk
/// from commands, and as fast as need be while the log grows. Each byte appended pays for four of
/// work, as at worst three are needed to make room for it: of two segments in which half still
/// lives one goes, and for that both are given back and the halves written again.
class collection_pace {
public:
  /// 0: no limit.
  explicit collection_pace(uint64_t bytes_per_second) noexcept
    : rate_{static_cast<int64_t>(bytes_per_second)} {}

  /// The log is short enough; `appended` in all so far doesn't press.
  void rest(uint64_t appended) noexcept {
    seen_ = appended;
    owed_ = 0;
  }
  void work(uint64_t bytes) noexcept { owed_ += static_cast<int64_t>(bytes); }

  /// The pause before more work, none if it is zero. It may have to be followed by another: what is
  /// appended meanwhile is to shorten it.
  std::chrono::nanoseconds pause(uint64_t appended) noexcept {
    owed_ -= work_per_appended * static_cast<int64_t>(appended - seen_);
    seen_ = appended;
    if (owed_ <= 0 || rate_ == 0)
      return {};
    const auto paid = std::min(owed_, std::max<int64_t>(rate_ / pauses_per_second_min, 1));
    owed_ -= paid;
    const auto ns = std::ceil(static_cast<double>(paid) * 1e9 / static_cast<double>(rate_));
    return std::chrono::nanoseconds{static_cast<int64_t>(ns)};
  }

private:
  static constexpr int64_t work_per_appended = 4;
  static constexpr int64_t pauses_per_second_min = 10;

  int64_t rate_;
  int64_t owed_ = 0;  ///< Work that no pause has paid for yet; less than 0: that needs none.
  uint64_t seen_ = 0; ///< Appended when it was last asked.
};

} // namespace caucus
