#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace caucus {

/// How many bytes a rate allows, evenly: whoever was slow catches up with little. Its owner has the
/// clock, and one thread.
class byte_rate {
public:
  /// 0: no limit.
  explicit byte_rate(uint64_t bytes_per_second) noexcept
    : rate_{static_cast<int64_t>(bytes_per_second)} {}

  /// What may be spent now.
  [[nodiscard]] uint64_t allowance(int64_t now_ns) noexcept {
    if (rate_ == 0)
      return std::numeric_limits<uint64_t>::max();
    const auto passed = std::min(now_ns - at_ns_, owed_ns_max);
    at_ns_ = now_ns;
    allowed_ += in(passed);
    allowed_ = std::min(allowed_, std::max<int64_t>(in(saved_ns_max), 1));
    return static_cast<uint64_t>(std::max<int64_t>(allowed_, 0));
  }
  /// Also more than is allowed: that is owed, and waited for.
  void spend(uint64_t bytes) noexcept {
    if (rate_ != 0)
      allowed_ -= static_cast<int64_t>(bytes);
  }
  /// How long until nothing is owed any more.
  [[nodiscard]] int64_t wait_ns(int64_t now_ns) noexcept {
    if (rate_ == 0 || allowance(now_ns) > 0)
      return 0;
    return static_cast<int64_t>(static_cast<double>(-allowed_) / static_cast<double>(rate_)
                                * static_cast<double>(second_ns));
  }

private:
  static constexpr int64_t second_ns = 1'000'000'000;
  static constexpr int64_t saved_ns_max = 20'000'000;
  static constexpr int64_t owed_ns_max = 3600 * second_ns; ///< So that nothing overflows.

  [[nodiscard]] int64_t in(int64_t ns) const noexcept {
    return static_cast<int64_t>(static_cast<double>(rate_) * static_cast<double>(ns)
                                / static_cast<double>(second_ns));
  }

  int64_t rate_;
  int64_t allowed_ = 0; ///< Negative: owed.
  int64_t at_ns_ = 0;   ///< Of the clock, when that was so.
};

} // namespace caucus
