#pragma once

#include "apps/sim/violation.hpp"
#include "raft/core_status.hpp"

#include <array>

namespace caucus::sim {

/// What a leader knows to match at a peer never goes back while it leads and the peer is a member,
/// and what it sends next lies behind it (RELIABILITY section 3.4, S-24, S-25).
class match_monotony {
public:
  void on_progress(const raft::core_status& leader) {
    auto& known = known_[leader.self.value() % nodes_max];
    const bool is_same =
      known.term == leader.term && known.configuration == leader.configuration_id;
    if (!is_same) // Also of a term that was seen, lost in a crash and won since.
      known.matches = {};
    for (const auto& x : leader.peers) {
      auto& match = known.matches[x.id.value() % nodes_max];
      if ((is_same && x.match < match) || x.next <= x.match)
        throw violation{"monotony", text("leader ", leader.self, " has matched ", match,
                                         " at node ", x.id, ", then ", x.match, ", next ", x.next)};
      match = x.match;
    }
    known.term = leader.term;
    known.configuration = leader.configuration_id;
  }

private:
  static constexpr size_t nodes_max = 16;

  struct leadership {
    term_t term;
    index_t configuration; ///< With another one a peer may begin anew.
    std::array<index_t, nodes_max> matches{};
  };

  std::array<leadership, nodes_max> known_{};
};

} // namespace caucus::sim
