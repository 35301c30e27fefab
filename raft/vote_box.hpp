#pragma once

#include "membership/quorum.hpp"

#include <vector>

namespace caucus::raft {

/// The answers of one election, one per node: a duplicate is the same answer again, not another
/// vote (RELIABILITY S-03).
class vote_box {
public:
  void record(node_id from, bool is_granted) {
    auto told = is_granted ? membership::vote::granted : membership::vote::refused;
    for (auto& x : answers_)
      if (x.from == from) {
        x.told = told;
        return;
      }
    answers_.push_back({from, told});
  }

  [[nodiscard]] membership::vote of(node_id from) const noexcept {
    for (const auto& x : answers_)
      if (x.from == from)
        return x.told;
    return membership::vote::missing;
  }

  [[nodiscard]] membership::vote_result tally(const membership::configuration& members) const {
    return membership::tally_votes(members, [this](node_id id) { return of(id); });
  }

private:
  struct answer {
    node_id from;
    membership::vote told = membership::vote::missing;
  };

  std::vector<answer> answers_;
};

} // namespace caucus::raft
