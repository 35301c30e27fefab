#pragma once

#include "base/ids.hpp"
#include "base/result.hpp"
#include "persistence/peer_identity.hpp"

#include <map>
#include <mutex>
#include <set>
#include <vector>

namespace caucus {

/// Which data directory each peer is known to have. A member whose directory was wiped has
/// forgotten its votes and what it acknowledged; until somebody says so on purpose, it is refused
/// (RELIABILITY O-08, S-68). Thread-safe.
class peer_registry {
public:
  peer_registry(std::set<node_id> members, const std::vector<persistence::peer_identity>& known)
    : members_{std::move(members)} {
    for (auto& peer : known)
      directories_.emplace(peer.node, peer.directory);
  }

  /// Whether this peer may connect; the error is told to it and is for people.
  [[nodiscard]] result<void> judge(node_id node, directory_id directory) const {
    std::lock_guard guard{mutex_};
    if (!members_.contains(node))
      return error{errc::identity_mismatch,
                   "node " + std::to_string(node.value()) + " is not a member here"};
    auto known = directories_.find(node);
    if (known != directories_.end() && known->second != directory)
      return error{
        errc::identity_mismatch,
        "node " + std::to_string(node.value())
          + " comes with another data directory than the one known here: if its old one is "
            "lost for good and it holds no vote that still counts, start this node once "
            "with --accept-directory "
          + std::to_string(node.value())};
    return {};
  }

  [[nodiscard]] bool knows(node_id node) const {
    std::lock_guard guard{mutex_};
    return directories_.contains(node);
  }

  /// Call once it is durable.
  void pin(node_id node, directory_id directory) {
    std::lock_guard guard{mutex_};
    directories_.insert_or_assign(node, directory);
  }

private:
  mutable std::mutex mutex_;
  std::set<node_id> members_;
  std::map<node_id, directory_id> directories_;
};

} // namespace caucus
