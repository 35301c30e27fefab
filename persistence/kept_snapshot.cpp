#include "persistence/kept_snapshot.hpp"

#include <algorithm>

namespace caucus::persistence {

const kept_snapshot* find(const std::vector<kept_snapshot>& known, raft::entry_id last) {
  const auto found =
    std::find_if(known.begin(), known.end(), [&](const auto& x) { return x.at.last == last; });
  return found == known.end() ? nullptr : &*found;
}

bool keep(std::vector<kept_snapshot>& known, kept_snapshot added, index_t begins_after) {
  const auto index = added.at.last.index;
  drop_older(known, begins_after);
  std::erase_if(known, [&](const auto& x) { return x.at.last.index == index; });
  const auto place = std::find_if(known.begin(), known.end(),
                                  [&](const auto& x) { return x.at.last.index < index; });
  const bool is_kept =
    index >= begins_after && static_cast<size_t>(place - known.begin()) < snapshots_kept;
  if (is_kept)
    known.insert(place, std::move(added));
  if (known.size() > snapshots_kept)
    known.resize(snapshots_kept);
  return is_kept;
}

void drop_older(std::vector<kept_snapshot>& known, index_t begins_after) {
  std::erase_if(known, [&](const auto& x) { return x.at.last.index < begins_after; });
}

} // namespace caucus::persistence
