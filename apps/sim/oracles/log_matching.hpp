#pragma once

#include "apps/sim/log_mirror.hpp"
#include "apps/sim/violation.hpp"

#include <map>
#include <utility>

namespace caucus::sim {

/// Two logs that have an entry of the same index and term agree up to there (thesis Fig. 3.2). By
/// induction it is enough to compare each new entry with all that were ever seen in its place.
class log_matching {
public:
  /// `log` has got entries from `first` on.
  void on_append(node_id node, const log_mirror& log, index_t first) {
    for (auto i = first; i <= log.last(); ++i) {
      const auto term = log.at(i)->id.term;
      const auto hash = log.hash_at(i);
      if (known(i, term, hash) != hash)
        throw violation{"log matching", text("node ", node, " has an entry ", i, ":", term,
                                             " that differs, or follows what differs, from "
                                             "another node's entry of that name")};
    }
  }

private:
  struct first_seen {
    term_t term;
    uint64_t hash = 0;
  };

  /// What was first seen there with this term: `hash` itself if nothing was.
  uint64_t known(index_t index, term_t term, uint64_t hash) {
    if (index.value() >= seen_.size())
      seen_.resize(2 * index.value() + 64);
    auto& slot = seen_[index.value()];
    if (slot.term == term_t{})
      slot = {term, hash};
    // Nearly every index sees one term only; the others are kept aside.
    return slot.term == term ? slot.hash : others_.try_emplace({index, term}, hash).first->second;
  }

  std::vector<first_seen> seen_; ///< By index.
  std::map<std::pair<index_t, term_t>, uint64_t> others_;
};

} // namespace caucus::sim
