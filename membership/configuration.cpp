#include "membership/configuration.hpp"

#include <algorithm>

namespace caucus::membership {

std::vector<node_id> configuration::members() const {
  std::set<node_id> all = voters;
  all.insert(outgoing.begin(), outgoing.end());
  all.insert(learners.begin(), learners.end());
  all.insert(learners_next.begin(), learners_next.end());
  return {all.begin(), all.end()};
}

std::string find_flaw(const configuration& x) {
  const auto within = [](const std::set<node_id>& part, const auto& whole) {
    return std::all_of(part.begin(), part.end(), [&](node_id id) { return whole.contains(id); });
  };
  const auto votes = [&](node_id id) { return x.is_voter(id); };
  if (x.voters.empty())
    return "it has no voters";
  if (x.is_member(node_id{}))
    return "node 0 is nobody";
  if (x.members().size() > members_max)
    return "it has more than " + std::to_string(members_max) + " members";
  if (std::any_of(x.learners.begin(), x.learners.end(), votes))
    return "a learner is a voter";
  if (!within(x.learners_next, x.outgoing))
    return "a learner to be doesn't vote in the outgoing half";
  for (auto id : x.learners_next)
    if (x.voters.contains(id))
      return "a learner to be is a voter of the incoming half";
  if (!within(x.staging, x.learners))
    return "a staging member is no learner";
  if (x.auto_leave && !x.is_joint())
    return "it isn't joint but to be left";
  for (const auto& [id, address] : x.addresses)
    if (!x.is_member(id))
      return "an address belongs to no member";
    else if (address.host.size() > host_bytes_max)
      return "a host is longer than " + std::to_string(host_bytes_max) + " bytes";
  return {};
}

} // namespace caucus::membership
