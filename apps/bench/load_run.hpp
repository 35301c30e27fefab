#pragma once

#include "apps/bench/latency_histogram.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>

namespace caucus::bench {

/// What the clients of one point share. Thread-safe.
class load_run {
public:
  enum class phase : uint8_t { warm_up, measuring, stopping };

  /// With a pace each client asks so often, however long answers take; else as soon as it has one.
  load_run(size_t clients, size_t payload_bytes, std::chrono::nanoseconds pace = {})
    : payload_bytes_{payload_bytes}, pace_{pace}, live_{clients} {}

  [[nodiscard]] size_t payload_bytes() const noexcept { return payload_bytes_; }
  [[nodiscard]] std::chrono::nanoseconds pace() const noexcept { return pace_; }
  [[nodiscard]] bool is_stopping() const noexcept { return now() == phase::stopping; }
  void enter(phase next) noexcept { phase_.store(next, std::memory_order_release); }

  void count_reply(uint64_t ns) noexcept {
    acknowledged_.fetch_add(1, std::memory_order_relaxed);
    if (now() != phase::measuring)
      return;
    measured_.fetch_add(1, std::memory_order_relaxed);
    latencies.add(ns);
  }
  void count_error(const std::string& what) {
    if (errors_.fetch_add(1, std::memory_order_relaxed) == 0) {
      std::lock_guard guard{mutex_};
      first_error_ = what;
    }
  }
  void leave() {
    std::lock_guard guard{mutex_};
    if (--live_ == 0)
      all_left_.notify_all();
  }
  /// Blocks until every client has its last answer.
  void wait_for_clients() {
    std::unique_lock guard{mutex_};
    all_left_.wait(guard, [this] { return live_ == 0; });
  }

  /// Since the clients started, warm-up included.
  [[nodiscard]] uint64_t acknowledged() const noexcept { return acknowledged_; }
  /// Answered while measuring.
  [[nodiscard]] uint64_t measured() const noexcept { return measured_; }
  [[nodiscard]] uint64_t errors() const noexcept { return errors_; }
  [[nodiscard]] std::string first_error() const {
    std::lock_guard guard{mutex_};
    return first_error_;
  }

  latency_histogram latencies;

private:
  [[nodiscard]] phase now() const noexcept { return phase_.load(std::memory_order_acquire); }

  const size_t payload_bytes_;
  const std::chrono::nanoseconds pace_;
  std::atomic<phase> phase_{phase::warm_up};
  std::atomic<uint64_t> acknowledged_{0};
  std::atomic<uint64_t> measured_{0};
  std::atomic<uint64_t> errors_{0};
  mutable std::mutex mutex_; ///< Guards what follows.
  std::condition_variable all_left_;
  size_t live_;
  std::string first_error_;
};

} // namespace caucus::bench
