#pragma once

#include "base/ids.hpp"

#include <map>
#include <mutex>

namespace caucus {

/// Counts something rare for each peer. Thread-safe.
class peer_counts {
public:
  void count(node_id peer) {
    std::lock_guard guard{mutex_};
    ++counts_[peer];
  }

  [[nodiscard]] std::map<node_id, uint64_t> all() const {
    std::lock_guard guard{mutex_};
    return counts_;
  }

private:
  mutable std::mutex mutex_;
  std::map<node_id, uint64_t> counts_;
};

} // namespace caucus
