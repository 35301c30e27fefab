#pragma once

#include "membership/configuration.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <vector>

namespace caucus::membership {

enum class vote_result { pending, won, lost };

/// What one voter has told: nothing yet, or its answer.
enum class vote { missing, granted, refused };

/// The index that an empty set "commits": it must never hold the other half of a joint
/// configuration back.
inline constexpr index_t unbounded_index{std::numeric_limits<uint64_t>::max()};

/// The answer of one set of voters, given how many have granted and how many were not heard yet.
vote_result decide_votes(size_t voters, size_t granted, size_t missing) noexcept;
/// Both halves of a joint configuration together: lost if either half is lost, else pending if
/// either is, else won (thesis §4.3).
vote_result both(vote_result incoming, vote_result outgoing) noexcept;

/// The highest index that a majority of `voters` has acknowledged. `acknowledged(id)` is 0 for a
/// voter that never did. A template because a leader asks at every acknowledgement.
template <class Acknowledged>
index_t committed_index(const std::set<node_id>& voters, Acknowledged&& acknowledged) {
  if (voters.empty())
    return unbounded_index;
  constexpr size_t usual = 9; // Voters whose indexes fit on the stack.
  std::array<index_t, usual> few;
  std::vector<index_t> many(voters.size() > usual ? voters.size() : 0);
  auto* first = many.empty() ? few.data() : many.data();
  auto* last = first;
  for (auto id : voters)
    *last++ = acknowledged(id);
  // Element n/2 of the descending order: a majority (n/2 + 1 voters) is at least that far.
  auto* middle = first + voters.size() / 2;
  std::nth_element(first, middle, last, std::greater<>{});
  return *middle;
}

/// The smaller of both halves' (thesis §4.3): an entry commits when each half has it.
template <class Acknowledged>
index_t committed_index(const configuration& members, Acknowledged&& acknowledged) {
  return std::min(committed_index(members.voters, acknowledged),
                  committed_index(members.outgoing, acknowledged));
}

/// `answer(id)` tells what a voter has said.
template <class Answer>
vote_result tally_votes(const std::set<node_id>& voters, Answer&& answer) {
  size_t granted = 0;
  size_t missing = 0;
  for (auto id : voters) {
    auto told = answer(id);
    granted += told == vote::granted ? 1 : 0;
    missing += told == vote::missing ? 1 : 0;
  }
  return decide_votes(voters.size(), granted, missing);
}

template <class Answer>
vote_result tally_votes(const configuration& members, Answer&& answer) {
  return both(tally_votes(members.voters, answer), tally_votes(members.outgoing, answer));
}

} // namespace caucus::membership
