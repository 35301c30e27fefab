#pragma once

#include "base/ids.hpp"
#include "caucus/messages.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace caucus {

/// The snapshots on their way to and from the node's peers: the snapshotter tells how far each has
/// come, replicas show it. Thread-safe.
class snapshot_transfers {
public:
  /// One of them; shown as long as it's there.
  class transfer {
  public:
    explicit transfer(const snapshot_transfer& begin) : begin_{begin}, bytes_{begin.bytes} {}

    void tell(uint64_t bytes) noexcept { bytes_.store(bytes, std::memory_order_relaxed); }
    [[nodiscard]] snapshot_transfer now() const {
      auto x = begin_;
      x.bytes = bytes_.load(std::memory_order_relaxed);
      return x;
    }

  private:
    const snapshot_transfer begin_;
    std::atomic<uint64_t> bytes_;
  };

  [[nodiscard]] std::shared_ptr<transfer> begin(group_id group, const snapshot_transfer& what) {
    auto added = std::make_shared<transfer>(what);
    const std::lock_guard guard{mutex_};
    std::erase_if(shown_, [](const auto& x) { return x.second.expired(); });
    shown_.emplace(group, added);
    return added;
  }

  [[nodiscard]] std::vector<snapshot_transfer> of(group_id group) const {
    std::vector<snapshot_transfer> found;
    const std::lock_guard guard{mutex_};
    const auto [first, end] = shown_.equal_range(group);
    for (auto x = first; x != end; ++x)
      if (const auto one = x->second.lock())
        found.push_back(one->now());
    return found;
  }

private:
  mutable std::mutex mutex_;
  std::multimap<group_id, std::weak_ptr<const transfer>> shown_;
};

} // namespace caucus
