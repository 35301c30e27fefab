#include "actors/group_beginning.hpp"

#include "persistence/leading_snapshot.hpp"
#include "persistence/snapshot_catalog.hpp"

#include <algorithm>

namespace caucus {

result<group_beginning> choose_beginning(const persistence::recovered_group& known,
                                         const snapshot_store& store) {
  group_beginning begin{.snapshots = known.snapshots, .loaded = {}, .damaged = {}};
  std::erase_if(begin.snapshots, [&](const auto& x) { return !leads_to_log(known, x.at.last); });
  auto found = store.find_sound(known.descriptor.group, begin.snapshots);
  const auto after = known.begins_after.last.index;
  if (!found.newest && after) {
    std::string why;
    for (const auto& x : found.damaged)
      why += (why.empty() ? ": " : "; ") + x.what;
    return error{errc::wal_corrupt, "group '" + known.descriptor.name
                                      + "': its log begins after entry "
                                      + std::to_string(after.value())
                                      + ", and no snapshot of what came before can be read" + why
                                      + "; remove this node from the group and add it anew"};
  }
  std::erase_if(begin.snapshots, [&](const auto& x) {
    return !found.newest || x.at.last.index > found.newest->at.last.index;
  });
  for (auto& x : begin.snapshots)
    x.bytes = {}; // The log has them.
  begin.loaded = std::move(found.newest);
  begin.damaged = std::move(found.damaged);
  return begin;
}

raft::recovered_state core_state(persistence::recovered_group& from_disk) {
  return {.hard = from_disk.hard,
          .members = from_disk.members(),
          .members_id = from_disk.begins_after.members.id,
          .configurations = std::move(from_disk.configurations),
          .compacted = from_disk.begins_after.last,
          .runs = std::move(from_disk.runs),
          .last = from_disk.last,
          .tail = std::move(from_disk.tail),
          .applied = {}};
}

result<void> remove_unknown_snapshots(persistence::directory& dir,
                                      const persistence::wal_recovery& found) {
  const auto catalog = persistence::snapshot_catalog::read(dir);
  if (!catalog)
    return catalog.reason();
  if (auto done = persistence::remove_leftovers(dir, *catalog); !done)
    return done;
  std::vector<persistence::snapshot_name> unknown;
  for (const auto& [group, names] : catalog->groups) {
    const auto known = std::find_if(found.groups.begin(), found.groups.end(),
                                    [&](const auto& x) { return x.descriptor.group == group; });
    for (const auto& name : names)
      if (known == found.groups.end()
          || (!known->damaged && persistence::find(known->snapshots, name.last) == nullptr))
        unknown.push_back(name);
  }
  return persistence::remove_snapshots(dir, unknown);
}

} // namespace caucus
