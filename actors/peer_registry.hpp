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
  peer_registry(node_id self, std::set<node_id> members,
                const std::vector<persistence::peer_identity>& known)
    : self_{self}, members_{std::move(members)} {
    for (auto& peer : known)
      directories_.emplace(peer.node, peer.directory);
  }

  /// Whether this peer may connect; the error is for people, here and in the peer's own log, so it
  /// names both nodes.
  [[nodiscard]] result<void> judge(node_id node, directory_id directory) const {
    std::lock_guard guard{mutex_};
    auto self = std::to_string(self_.value());
    auto peer = std::to_string(node.value());
    if (!members_.contains(node))
      return error{errc::identity_mismatch, "node " + peer + " is no member for node " + self};
    if (auto claimed = claimed_.find(node);
        claimed != claimed_.end() && claimed->second != directory)
      return error{errc::identity_mismatch, "node " + self
                                              + " is recording another data directory of node "
                                              + peer + ": are there two nodes " + peer + "?"};
    auto known = directories_.find(node);
    if (known != directories_.end() && known->second != directory)
      return error{errc::identity_mismatch,
                   "node " + self + " knows node " + peer
                     + " by another data directory: if that one is lost for good, restart node "
                     + self + ", not node " + peer + ", once with --accept-directory " + peer};
    return {};
  }

  [[nodiscard]] bool is_member(node_id node) const {
    std::lock_guard guard{mutex_};
    return members_.contains(node);
  }

  void add_member(node_id node) {
    std::lock_guard guard{mutex_};
    members_.insert(node);
  }

  [[nodiscard]] bool knows(node_id node, directory_id directory) const {
    std::lock_guard guard{mutex_};
    auto known = directories_.find(node);
    return known != directories_.end() && known->second == directory;
  }

  /// Until it is durable, no other directory of this node gets in. False if one is there already.
  [[nodiscard]] bool claim(node_id node, directory_id directory) {
    std::lock_guard guard{mutex_};
    return !directories_.contains(node)
           && claimed_.try_emplace(node, directory).first->second == directory;
  }

  /// Call once the claimed directory is durable.
  void pin(node_id node, directory_id directory) {
    std::lock_guard guard{mutex_};
    claimed_.erase(node);
    directories_.insert_or_assign(node, directory);
  }

private:
  mutable std::mutex mutex_;
  node_id self_;
  std::set<node_id> members_;
  std::map<node_id, directory_id> directories_; ///< Durably known.
  std::map<node_id, directory_id> claimed_;     ///< On their way to the disk.
};

} // namespace caucus
