#include "persistence/snapshot_catalog.hpp"

#include <algorithm>

namespace caucus::persistence {

namespace {

/// Whether the file as such is at fault, or the disk; not that it is of a newer build.
bool is_damage(const error& reason) { return reason.code != errc::version_mismatch; }

result<void> remove_files(directory& dir, std::span<const std::string> names) {
  if (names.empty())
    return {};
  result<void> outcome;
  for (const auto& name : names)
    if (auto done = dir.remove(name); !done && outcome && done.reason().code != errc::not_found)
      outcome = std::move(done);
  if (auto done = dir.sync(); !done && outcome)
    outcome = std::move(done);
  return outcome;
}

/// Of one group's, the newest first.
void add_superfluous(std::span<const snapshot_name> newest_first, index_t log_begins_after,
                     const snapshot_needs& needs, std::vector<snapshot_name>& found) {
  size_t kept = 0;
  for (const auto& name : newest_first) {
    const bool is_superfluous = kept >= needs.kept && name.last.index < log_begins_after;
    if (is_superfluous && !needs.in_use.contains(name))
      found.push_back(name);
    if (!needs.damaged.contains(name))
      ++kept;
  }
}

} // namespace

result<snapshot_catalog> snapshot_catalog::read(directory& dir) {
  auto names = dir.list();
  if (!names)
    return std::move(names).reason();
  snapshot_catalog found;
  for (const auto& file : *names) {
    if (const auto name = parse_snapshot_name(file))
      found.groups[name->group].push_back(*name);
    else if (is_unfinished_snapshot_name(file))
      found.leftovers.push_back(file);
  }
  for (auto& [group, snapshots] : found.groups)
    std::sort(snapshots.begin(), snapshots.end(), std::greater<>{});
  return found;
}

std::span<const snapshot_name> snapshot_catalog::of(group_id group) const {
  const auto found = groups.find(group);
  if (found == groups.end())
    return {};
  return found->second;
}

result<newest_snapshot> open_newest(directory& dir, std::span<const snapshot_name> newest_first,
                                    cluster_id cluster) {
  newest_snapshot found;
  for (const auto& name : newest_first) {
    auto reader = snapshot_reader::open(dir, name);
    if (!reader && !is_damage(reader.reason()))
      return std::move(reader).reason();
    if (!reader) {
      found.damaged.emplace(name, std::move(reader).reason());
      continue;
    }
    if (reader->header().cluster != cluster)
      return error{errc::identity_mismatch,
                   "snapshot " + dir.path() + "/" + file_name(name) + " is of cluster "
                     + to_string(reader->header().cluster) + ", this is cluster "
                     + to_string(cluster) + "; move it away"};
    if (auto sound = reader->verify(); !sound) {
      found.damaged.emplace(name, std::move(sound).reason());
      continue;
    }
    found.reader.emplace(*std::move(reader));
    break;
  }
  return found;
}

std::map<snapshot_name, error> find_damaged(directory& dir,
                                            std::span<const snapshot_name> snapshots) {
  std::map<snapshot_name, error> damaged;
  for (const auto& name : snapshots)
    if (auto reader = snapshot_reader::open(dir, name); !reader && is_damage(reader.reason()))
      damaged.emplace(name, std::move(reader).reason());
  return damaged;
}

std::vector<snapshot_name> find_superfluous(const snapshot_catalog& catalog,
                                            const snapshot_needs& needs) {
  std::vector<snapshot_name> found;
  for (const auto& [group, newest_first] : catalog.groups) {
    const auto log = needs.log_begins_after.find(group);
    if (log != needs.log_begins_after.end()) {
      add_superfluous(newest_first, log->second, needs, found);
      continue;
    }
    std::copy_if(newest_first.begin(), newest_first.end(), std::back_inserter(found),
                 [&](const auto& name) { return !needs.in_use.contains(name); });
  }
  return found;
}

result<void> remove_snapshots(directory& dir, std::span<const snapshot_name> names) {
  std::vector<std::string> files;
  files.reserve(names.size());
  for (const auto& name : names)
    files.push_back(file_name(name));
  return remove_files(dir, files);
}

result<void> remove_leftovers(directory& dir, const snapshot_catalog& catalog) {
  return remove_files(dir, catalog.leftovers);
}

} // namespace caucus::persistence
