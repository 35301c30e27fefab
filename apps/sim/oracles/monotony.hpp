#pragma once

#include "apps/sim/violation.hpp"
#include "raft/persist_batch.hpp"

namespace caucus::sim {

/// Term and commit never go back, a vote never changes within its term (RELIABILITY S-05, S-23).
class monotony {
public:
  static void on_hard_state(node_id node, const raft::hard_state& before,
                            const raft::hard_state& after) {
    const bool is_new_vote =
      after.term == before.term && before.voted_for && after.voted_for != before.voted_for;
    if (after.term < before.term || after.commit < before.commit || is_new_vote)
      throw violation{"monotony",
                      text("node ", node, " went from term ", before.term, " vote ",
                           before.voted_for, " commit ", before.commit, " to term ", after.term,
                           " vote ", after.voted_for, " commit ", after.commit)};
  }
  /// A leader's batch: it only ever appends to its log (thesis Fig. 3.2, Leader Append-Only).
  static void on_leader_batch(node_id node, const raft::persist_batch& x) {
    if (x.truncate_from || x.snapshot)
      throw violation{"leader append-only", text("node ", node, " leads and deletes from its log")};
  }
};

} // namespace caucus::sim
