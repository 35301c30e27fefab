#include "raft/configurations.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace caucus::raft {

configurations::configurations(membership::numbered_configuration oldest,
                               std::vector<membership::numbered_configuration> later)
  : known_{std::move(later)} {
  known_.insert(known_.begin(), std::move(oldest));
  for (size_t i = 0; i < known_.size(); ++i) {
    CAUCUS_ASSERT(known_[i].members != nullptr);
    CAUCUS_ASSERT(i == 0 || known_[i - 1].id < known_[i].id);
  }
}

const membership::numbered_configuration& configurations::as_of(index_t index) const {
  auto i = known_.rbegin();
  while (i != known_.rend() && i->id > index)
    ++i;
  CAUCUS_ASSERT(i != known_.rend());
  return *i;
}

bool configurations::is_voter_since(index_t committed, node_id node) const {
  for (auto i = known_.rbegin(); i != known_.rend(); ++i) {
    if (i->members->is_voter(node))
      return true;
    if (i->id <= committed)
      return false;
  }
  return false;
}

void configurations::append(index_t id, membership::configuration members) {
  CAUCUS_ASSERT(id > latest().id);
  known_.push_back({id, std::make_shared<const membership::configuration>(std::move(members))});
}

bool configurations::truncate_from(index_t from) {
  CAUCUS_ASSERT(known_.front().id < from);
  const auto first_gone =
    std::find_if(known_.begin(), known_.end(), [from](const auto& x) { return x.id >= from; });
  const bool is_any = first_gone != known_.end();
  known_.erase(first_gone, known_.end());
  return is_any;
}

void configurations::compact(index_t index) {
  const auto later =
    std::find_if(known_.begin(), known_.end(), [index](const auto& x) { return x.id > index; });
  CAUCUS_ASSERT(later != known_.begin());
  known_.erase(known_.begin(), std::prev(later));
}

void configurations::restore(membership::numbered_configuration x) {
  CAUCUS_ASSERT(x.members != nullptr);
  known_.clear();
  known_.push_back(std::move(x));
}

} // namespace caucus::raft
