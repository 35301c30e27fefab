#pragma once

#include <atomic>
#include <mutex>
#include <string>

namespace caucus {

/// Whether the node's disk has room for entries: the log's writer tells, all replicas look.
/// Thread-safe.
class storage_room {
public:
  [[nodiscard]] bool is_there() const noexcept { return is_there_.load(std::memory_order_relaxed); }
  /// For people; empty while there is room.
  [[nodiscard]] std::string why_not() const {
    const std::lock_guard guard{mutex_};
    return why_not_;
  }

  /// An empty `why_not`: there is room.
  void tell(std::string why_not) {
    const std::lock_guard guard{mutex_};
    why_not_ = std::move(why_not);
    is_there_.store(why_not_.empty(), std::memory_order_relaxed);
  }

private:
  std::atomic<bool> is_there_{true};
  mutable std::mutex mutex_;
  std::string why_not_;
};

} // namespace caucus
