#pragma once

#include "base/endpoint.hpp"
#include "base/ids.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace caucus::membership {

/// Who replicates a group, in force from the moment its entry is appended (thesis §4.1). Ordered
/// containers, so that every walk over members is the same on every node.
struct configuration {
  std::set<node_id> voters;        ///< Incoming half while joint, else all voters.
  std::set<node_id> outgoing;      ///< Outgoing half; empty unless joint.
  std::set<node_id> learners;      ///< Receive the log, don't vote. Disjoint from the voters.
  std::set<node_id> learners_next; ///< Voters of `outgoing` that become learners on leaving joint.
  /// Learners that the leader, whoever it is by then, makes voters once they have caught up.
  std::set<node_id> staging;
  bool auto_leave = false;               ///< The leader leaves the joint configuration by itself.
  std::map<node_id, endpoint> addresses; ///< Peer addresses of all members named above.

  friend bool operator==(const configuration&, const configuration&) = default;

  [[nodiscard]] bool is_joint() const noexcept { return !outgoing.empty(); }
  [[nodiscard]] bool is_voter(node_id id) const {
    return voters.contains(id) || outgoing.contains(id);
  }
  [[nodiscard]] bool is_member(node_id id) const {
    return is_voter(id) || learners.contains(id) || learners_next.contains(id);
  }
  /// Everybody named, ascending, each once.
  [[nodiscard]] std::vector<node_id> members() const;
};

/// Shared, as configurations change rarely and are looked at often.
using configuration_ptr = std::shared_ptr<const configuration>;

/// A configuration and its place in the log, which is its number: later ones have greater numbers.
struct numbered_configuration {
  index_t id; ///< Index of the entry that brought it; 0: the group began with it.
  configuration_ptr members;
};

/// Learners included; more can't be proposed nor decoded.
inline constexpr size_t members_max = 128;
/// As in DNS.
inline constexpr size_t host_bytes_max = 253;

/// Why this can't be a configuration: no voters, a learner that votes, nodes without a number;
/// empty if it can.
[[nodiscard]] std::string find_flaw(const configuration& x);

} // namespace caucus::membership
