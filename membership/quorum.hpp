#pragma once

#include "membership/configuration.hpp"

#include <functional>
#include <limits>

namespace caucus::membership {

enum class vote_result { pending, won, lost };

/// What one voter has told: nothing yet, or its answer.
enum class vote { missing, granted, refused };

/// The index that an empty set "commits": it must never hold the other half of a joint
/// configuration back.
inline constexpr index_t unbounded_index{std::numeric_limits<uint64_t>::max()};

/// The highest index that a majority of `voters` has acknowledged; 0 for a member that never did.
index_t committed_index(const std::set<node_id>& voters,
                        const std::function<index_t(node_id)>& acknowledged);
/// The smaller of both halves' (thesis §4.3): an entry commits when each half has it.
index_t committed_index(const configuration& members,
                        const std::function<index_t(node_id)>& acknowledged);

vote_result tally_votes(const std::set<node_id>& voters,
                        const std::function<vote(node_id)>& answer);
/// Lost if either half is lost, else pending if either is, else won.
vote_result tally_votes(const configuration& members, const std::function<vote(node_id)>& answer);

} // namespace caucus::membership
