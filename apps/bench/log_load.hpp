#pragma once

#include "actors/interfaces.hpp"

#include <atomic>
#include <mutex>

namespace caucus::bench {

/// What the producers of one log and who measures them share. Thread-safe.
class log_load {
public:
  void count(uint64_t entries) noexcept {
    acknowledged_.fetch_add(entries, std::memory_order_relaxed);
  }
  [[nodiscard]] uint64_t acknowledged() const noexcept {
    return acknowledged_.load(std::memory_order_relaxed);
  }

  void stop() noexcept { is_stopping_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool is_stopping() const noexcept {
    return is_stopping_.load(std::memory_order_relaxed);
  }

  void fail(error reason) {
    const std::lock_guard guard{mutex_};
    if (!failure_)
      failure_ = std::move(reason);
  }
  [[nodiscard]] std::optional<error> failure() const {
    const std::lock_guard guard{mutex_};
    return failure_;
  }

private:
  std::atomic<uint64_t> acknowledged_{0};
  std::atomic<bool> is_stopping_{false};
  mutable std::mutex mutex_;
  std::optional<error> failure_;
};

} // namespace caucus::bench
