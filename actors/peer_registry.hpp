#pragma once

#include "base/ids.hpp"
#include "base/result.hpp"
#include "persistence/peer_identity.hpp"
#include "transport/transport.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

namespace caucus {

/// Which data directory each peer is known to have, and which cluster this node belongs to. A
/// member whose directory was wiped has forgotten its votes and what it acknowledged; until
/// somebody says so on purpose, it is refused (RELIABILITY O-08, S-68). A node of a cluster that
/// others founded has logs of its own under our groups' ids: it is refused for good. Thread-safe.
class peer_registry {
public:
  using identity = transport::node_identity;

  peer_registry(node_id self, std::set<node_id> members,
                const std::vector<persistence::peer_identity>& known,
                membership::founding founding = {})
    : self_{self},
      members_{std::move(members)},
      founding_{std::move(founding)},
      is_founding_durable_{bool{founding_.id}} {
    for (auto& peer : known)
      directories_.emplace(peer.node, peer.directory);
  }

  /// Whether this peer may connect; the error is for people, here and in the peer's own log, so it
  /// names both nodes.
  [[nodiscard]] result<void> judge(const identity& x) const {
    std::lock_guard guard{mutex_};
    auto self = std::to_string(self_.value());
    auto peer = std::to_string(x.node.value());
    if (is_of_another_cluster(x)) // First: it explains more than what else may be wrong.
      return error{errc::identity_mismatch,
                   "node " + peer + " is of a cluster founded by " + x.founding.members + ", node "
                     + self + " of one of the same name founded by " + founding_.members
                     + ": stop the node that was to join the other's cluster, wipe its directory "
                       "and start it with --join"};
    if (!members_.contains(x.node))
      return error{errc::identity_mismatch, "node " + peer + " is no member for node " + self
                                              + ": it isn't added yet, or was removed"};
    if (auto claimed = claimed_.find(x.node);
        claimed != claimed_.end() && claimed->second != x.directory)
      return error{errc::identity_mismatch, "node " + self
                                              + " is recording another data directory of node "
                                              + peer + ": are there two nodes " + peer + "?"};
    if (is_of_another_directory(x))
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

  /// Its directory stays known: under its id no other one comes back.
  void remove_member(node_id node) {
    std::lock_guard guard{mutex_};
    members_.erase(node);
  }

  /// None before this node has met a member of the cluster that it is to join.
  [[nodiscard]] membership::founding founding() const {
    std::lock_guard guard{mutex_};
    return founding_;
  }

  /// Whether all that must be durable before a message of it counts is.
  [[nodiscard]] bool knows(const identity& x) const {
    std::lock_guard guard{mutex_};
    auto known = directories_.find(x.node);
    return known != directories_.end() && known->second == x.directory
           && (!x.founding.id || (is_founding_durable_ && x.founding.id == founding_.id));
  }

  /// What has to be written before `pin`; until it is durable, no other directory of this node gets
  /// in, and no node of another cluster. Nothing if such a one came first since this one's hello.
  [[nodiscard]] std::optional<membership::founding> claim(const identity& x) {
    std::lock_guard guard{mutex_};
    if (is_of_another_cluster(x) || is_of_another_directory(x)
        || claimed_.try_emplace(x.node, x.directory).first->second != x.directory)
      return std::nullopt;
    if (!x.founding.id || is_founding_durable_)
      return membership::founding{};
    founding_ = x.founding;
    return founding_;
  }

  /// Call once what `claim` told is durable. @returns whether the cluster is known only since now.
  bool pin(const identity& x) {
    std::lock_guard guard{mutex_};
    claimed_.erase(x.node);
    directories_.insert_or_assign(x.node, x.directory);
    return x.founding.id && !std::exchange(is_founding_durable_, true);
  }

private:
  [[nodiscard]] bool is_of_another_cluster(const identity& x) const {
    return x.founding.id && founding_.id && x.founding.id != founding_.id;
  }
  [[nodiscard]] bool is_of_another_directory(const identity& x) const {
    auto known = directories_.find(x.node);
    return known != directories_.end() && known->second != x.directory;
  }

  mutable std::mutex mutex_;
  node_id self_;
  std::set<node_id> members_;
  membership::founding founding_; ///< Perhaps on its way to the disk.
  bool is_founding_durable_ = false;
  std::map<node_id, directory_id> directories_; ///< Durably known.
  std::map<node_id, directory_id> claimed_;     ///< On their way to the disk.
};

} // namespace caucus
