#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace caucus::bench {

/// Latencies in nanoseconds, in buckets no wider than 1/64 of their value. Any thread adds.
class latency_histogram {
public:
  void add(uint64_t ns) noexcept {
    buckets_[bucket_of(ns)].fetch_add(1, std::memory_order_relaxed);
  }

  /// The value that a `share` (0 … 1) of all latencies doesn't exceed, in microseconds.
  [[nodiscard]] double quantile_us(double share) const noexcept {
    uint64_t total = 0;
    for (auto& bucket : buckets_)
      total += bucket.load(std::memory_order_relaxed);
    auto rank = static_cast<uint64_t>(share * static_cast<double>(total));
    if (rank >= total && total > 0)
      rank = total - 1; // The longest.
    uint64_t seen = 0;
    for (size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i].load(std::memory_order_relaxed);
      if (seen > rank)
        return static_cast<double>(middle_of(i)) / 1000.0;
    }
    return 0;
  }

private:
  static constexpr unsigned fine_bits = 6;
  static constexpr size_t fine = size_t{1} << fine_bits;

  static size_t bucket_of(uint64_t ns) noexcept {
    if (ns < fine)
      return ns;
    auto shift = static_cast<unsigned>(std::bit_width(ns)) - fine_bits - 1;
    return (shift + 1) * fine + ((ns >> shift) & (fine - 1));
  }
  static uint64_t middle_of(size_t bucket) noexcept {
    if (bucket < fine)
      return bucket;
    auto shift = bucket / fine - 1;
    auto low = (fine + bucket % fine) << shift;
    return low + ((uint64_t{1} << shift) >> 1);
  }

  std::array<std::atomic<uint64_t>, fine*(65 - fine_bits)> buckets_{};
};

} // namespace caucus::bench
