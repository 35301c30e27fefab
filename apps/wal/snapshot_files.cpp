#include "apps/wal/snapshot_files.hpp"

#include "persistence/leading_snapshot.hpp"
#include "persistence/snapshot_reader.hpp"
#include "persistence/snapshot_receiver.hpp"

#include <algorithm>

namespace caucus::wal_tool {

using namespace persistence;

namespace {

constexpr size_t copy_step_bytes = size_t{1} << 20;

result<void> verify(directory& dir, const snapshot_name& name) {
  auto reader = snapshot_reader::open(dir, name);
  return reader ? reader->verify() : result<void>{reader.reason()};
}

} // namespace

checked_snapshots check_snapshots(directory& dir, const wal_recovery& log) {
  checked_snapshots found;
  for (const auto& group : log.groups) {
    if (group.damaged)
      continue;
    bool has_begin = !group.begins_after.last.index;
    for (const auto& snapshot : group.snapshots) {
      const snapshot_name name{group.descriptor.group, snapshot.at.last};
      const auto sound = snapshot.is_small ? result<void>{} : verify(dir, name);
      if (sound)
        has_begin = has_begin || leads_to_log(group, snapshot.at.last);
      else
        found.problems.push_back(
          {file_name(name), 0, "snapshot of group " + group.descriptor.name, sound.reason().what});
    }
    if (!has_begin)
      found.lost[group.descriptor.name] = "its log begins after entry "
                                          + std::to_string(group.begins_after.last.index.value())
                                          + ", and no snapshot of what came before can be read";
  }
  return found;
}

result<void> copy_snapshot(directory& from, directory& into, const snapshot_name& name) {
  auto source = snapshot_reader::open(from, name);
  if (!source)
    return std::move(source).reason();
  auto target = snapshot_receiver::create(into, source->offer()); // Checks what it is given.
  if (!target)
    return std::move(target).reason();
  std::vector<std::byte> bytes(copy_step_bytes);
  while (!target->is_complete()) {
    const auto at = target->resume_at();
    const auto part =
      std::span{bytes}.first(std::min<uint64_t>(bytes.size(), source->offer().file_bytes - at));
    if (auto done = source->read_raw(at, part); !done)
      return done;
    if (auto done = target->take(at, part); !done)
      return done;
  }
  return target->publish();
}

} // namespace caucus::wal_tool
