#include "membership/quorum.hpp"

#include <algorithm>

namespace caucus::membership {

index_t committed_index(const std::set<node_id>& voters,
                        const std::function<index_t(node_id)>& acknowledged) {
  if (voters.empty())
    return unbounded_index;
  std::vector<index_t> indexes;
  indexes.reserve(voters.size());
  for (auto id : voters)
    indexes.push_back(acknowledged(id));
  // Element n/2 of the descending order: a majority (n/2 + 1 voters) is at least that far.
  auto middle = indexes.begin() + static_cast<std::ptrdiff_t>(indexes.size() / 2);
  std::nth_element(indexes.begin(), middle, indexes.end(), std::greater<>{});
  return *middle;
}

index_t committed_index(const configuration& members,
                        const std::function<index_t(node_id)>& acknowledged) {
  return std::min(committed_index(members.voters, acknowledged),
                  committed_index(members.outgoing, acknowledged));
}

vote_result tally_votes(const std::set<node_id>& voters,
                        const std::function<vote(node_id)>& answer) {
  if (voters.empty())
    return vote_result::won;
  size_t granted = 0;
  size_t missing = 0;
  for (auto id : voters) {
    auto told = answer(id);
    granted += told == vote::granted ? 1 : 0;
    missing += told == vote::missing ? 1 : 0;
  }
  auto majority = voters.size() / 2 + 1;
  if (granted >= majority)
    return vote_result::won;
  return granted + missing >= majority ? vote_result::pending : vote_result::lost;
}

vote_result tally_votes(const configuration& members, const std::function<vote(node_id)>& answer) {
  auto incoming = tally_votes(members.voters, answer);
  auto outgoing = tally_votes(members.outgoing, answer);
  if (incoming == vote_result::lost || outgoing == vote_result::lost)
    return vote_result::lost;
  if (incoming == vote_result::pending || outgoing == vote_result::pending)
    return vote_result::pending;
  return vote_result::won;
}

} // namespace caucus::membership
