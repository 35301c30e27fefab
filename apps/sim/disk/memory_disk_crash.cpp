// What a power loss leaves of a disk in memory.

#include "apps/sim/disk/memory_disk_state.hpp"
#include "base/assert.hpp"

namespace caucus::testing {

namespace {

/// Every file that a power loss may leave, oldest names first.
std::vector<inode_ptr> files_of(const name_map& durable_names,
                                const std::vector<name_change>& unsynced) {
  std::vector<inode_ptr> files;
  for (const auto& [name, node] : durable_names)
    files.push_back(node);
  for (const auto& change : unsynced)
    if (change.node)
      files.push_back(change.node);
  return files;
}

} // namespace

void memory_disk::crash(uint64_t seed) {
  const std::lock_guard guard{state_->mutex};
  rng random{seed};
  auto& disk = *state_;
  // Half of the time names survive in order, as with a journal, else any of them.
  const bool in_order = random.chance(50);
  const auto kept = random.below(disk.unsynced_names.size() + 1);
  for (size_t i = 0; i < disk.unsynced_names.size(); ++i)
    if (in_order ? i < kept : random.chance(50))
      replay(disk.durable_names, disk.unsynced_names[i]);
  disk.unsynced_names.clear();
  disk.names = disk.durable_names;
  for (auto& [name, node] : disk.names)
    node->crash(random);
  disk.end_life();
}

std::vector<uint32_t> memory_disk::crash_choices() const {
  const std::lock_guard guard{state_->mutex};
  std::vector<uint32_t> choices(state_->unsynced_names.size(), 2);
  for (const auto& node : files_of(state_->durable_names, state_->unsynced_names))
    node->list_choices(choices);
  return choices;
}

memory_disk memory_disk::after_crash(std::span<const uint32_t> decisions) const {
  const std::lock_guard guard{state_->mutex};
  const auto& disk = *state_;
  memory_disk left{disk.path};
  auto& names = left.state_->durable_names;
  names = disk.durable_names;
  auto next = decisions.begin();
  for (const auto& change : disk.unsynced_names)
    if (*next++ != 0)
      replay(names, change);
  std::map<inode_ptr, inode_ptr> copies;
  for (const auto& node : files_of(disk.durable_names, disk.unsynced_names)) {
    auto& copy = copies[node];
    copy = std::make_shared<memory_inode>(*node);
    copy->decide(next);
  }
  CAUCUS_ASSERT(next == decisions.end());
  for (auto& [name, node] : names)
    node = copies.at(node);
  left.state_->names = names;
  return left;
}

} // namespace caucus::testing
