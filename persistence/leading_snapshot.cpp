#include "persistence/leading_snapshot.hpp"

#include <algorithm>

namespace caucus::persistence {

bool leads_to_log(const recovered_group& group, raft::entry_id last) {
  const auto& runs = group.runs;
  if (last.index <= group.begins_after.last.index || last.index > group.last)
    return last == group.begins_after.last;
  const auto after =
    std::find_if(runs.begin(), runs.end(), [&](const auto& x) { return x.first > last.index; });
  return after != runs.begin() && std::prev(after)->term == last.term;
}

} // namespace caucus::persistence
