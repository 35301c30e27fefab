#pragma once

#include "apps/sim/violation.hpp"
#include "raft/entry.hpp"

#include <unordered_map>

namespace caucus::sim {

/// At most one leader per term, over the whole run and not only at one time (thesis Fig. 3.2).
class election_safety {
public:
  /// @returns whether the term had no leader before.
  bool on_leader(node_id node, term_t term) {
    const auto [known, is_new] = leader_of_.emplace(term.value(), node);
    if (known->second != node)
      throw violation{"election safety", text("node ", node, " leads term ", term,
                                              " and so did node ", known->second)};
    return is_new;
  }

private:
  std::unordered_map<uint64_t, node_id> leader_of_; ///< Never forgets; never iterated.
};

} // namespace caucus::sim
