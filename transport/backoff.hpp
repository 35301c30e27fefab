#pragma once

#include "base/rng.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace caucus::transport {

/// How long to wait before the next attempt: doubles up to a limit, and a random half of it, so
/// that peers which lost each other at once don't return at once.
class backoff {
public:
  using duration = std::chrono::milliseconds;

  backoff(duration min, duration max, uint64_t seed) : min_{min}, max_{max}, rng_{seed} {}

  duration next() {
    const auto shift = std::min<uint32_t>(failures_++, 20);
    const auto whole = std::min(max_.count(), min_.count() << shift);
    const auto half = whole / 2;
    return duration{half
                    + static_cast<int64_t>(rng_.below(static_cast<uint64_t>(whole - half) + 1))};
  }

  void reset() noexcept { failures_ = 0; }

private:
  duration min_;
  duration max_;
  rng rng_;
  uint32_t failures_ = 0;
};

} // namespace caucus::transport
