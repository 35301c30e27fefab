#pragma once

#include "actors/interfaces.hpp"

#include <map>
#include <mutex>
#include <shared_mutex>

namespace caucus {

/// Which replica of this node a group's messages go to. Read by the transport's thread for each
/// frame, by the pulse for each tick; written when groups come and go.
class routing_table {
public:
  void add(group_id group, replica_actor replica) {
    std::unique_lock guard{mutex_};
    replicas_.insert_or_assign(group, std::move(replica));
  }

  void remove(group_id group) {
    std::unique_lock guard{mutex_};
    replicas_.erase(group);
  }

  void clear() {
    std::unique_lock guard{mutex_};
    replicas_.clear();
  }

  /// Empty for a group that isn't open here: no message creates a group (RELIABILITY L-12).
  [[nodiscard]] replica_actor find(group_id group) const {
    std::shared_lock guard{mutex_};
    auto found = replicas_.find(group);
    return found == replicas_.end() ? replica_actor{} : found->second;
  }

  template <class F>
  void for_each(F&& visit) const {
    std::shared_lock guard{mutex_};
    for (auto& [group, replica] : replicas_)
      visit(replica);
  }

private:
  mutable std::shared_mutex mutex_;
  std::map<group_id, replica_actor> replicas_;
};

} // namespace caucus
