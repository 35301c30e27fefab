#pragma once

#include "base/ids.hpp"

#include <cstdint>
#include <set>
#include <string>

namespace caucus::membership {

/// Which cluster a node belongs to, beyond the cluster's name: the nodes that began it, as each of
/// them was told at its first start. A node that joins has none until it meets a member. Two nodes
/// of one name with different foundings are of two clusters, whose logs must never meet.
struct founding {
  founding_id id;      ///< 0: none yet.
  std::string members; ///< For people: "1,2,3", cut where it gets long.

  friend bool operator==(const founding&, const founding&) = default;
};

/// Of texts that come from outside, too.
inline constexpr size_t founding_text_bytes_max = 100;

/// The same on each founder without a word between them: a hash of the ids alone. Addresses are
/// left out because founders may reach one another under different names, and because they change.
founding founded_by(const std::set<node_id>& members);

/// What a cluster began with that didn't begin with nothing.
struct founding_origin {
  uint64_t id = 0;
  std::string name; ///< For people, short: "backup 0123456789abcdef".
};

/// Another cluster than any of these members that began with something else, or with nothing.
founding founded_by(const std::set<node_id>& members, const founding_origin& origin);

} // namespace caucus::membership
