#include "membership/configuration.hpp"

namespace caucus::membership {

std::vector<node_id> configuration::members() const {
  std::set<node_id> all = voters;
  all.insert(outgoing.begin(), outgoing.end());
  all.insert(learners.begin(), learners.end());
  all.insert(learners_next.begin(), learners_next.end());
  return {all.begin(), all.end()};
}

} // namespace caucus::membership
