#pragma once

#include "apps/sim/disk/memory_directory.hpp"
#include "apps/sim/disk/memory_inode.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>

namespace caucus::testing {

using inode_ptr = std::shared_ptr<memory_inode>;
using name_map = std::map<std::string, inode_ptr, std::less<>>;

/// One unsynced change of a name.
struct name_change {
  std::string from; ///< Empty: `node` gets a first name.
  std::string to;   ///< Empty: `from` is removed.
  inode_ptr node;
};

inline void replay(name_map& names, const name_change& change) {
  if (change.from.empty()) {
    names[change.to] = change.node;
  } else if (auto found = names.find(change.from); found != names.end()) {
    auto node = found->second;
    names.erase(found);
    if (!change.to.empty())
      names[change.to] = std::move(node);
  }
}

inline error gone() { return {errc::io_failed, "the disk is gone: its machine crashed"}; }

/// The inside of a `memory_disk`.
struct memory_disk::state {
  mutable std::mutex mutex;
  std::condition_variable syncs_released;
  std::string path;
  name_map names;         ///< As a process sees them.
  name_map durable_names; ///< As a power loss leaves them at least.
  std::vector<name_change> unsynced_names;
  uint64_t life = 1; ///< Views of an older life are dead.
  bool is_open = false;
  bool holds_syncs = false;
  bool ignores_syncs = false;
  uint64_t stops_at = 0;
  uint64_t syncs = 0;
  uint64_t writes = 0;
  uint64_t calls = 0;
  std::function<std::optional<error>(const disk_call&)> fault;
  std::function<write_fate(const disk_call&)> fate;

  /// The verdict on a call: whether the view is alive and what the injector says.
  std::optional<error> begin(uint64_t caller_life, enum disk_call::kind kind, std::string_view name,
                             std::span<const std::byte> bytes = {}, uint64_t offset = 0,
                             uint64_t size = 0) {
    if (caller_life != life)
      return gone();
    const bool changes = kind != disk_call::kind::read && kind != disk_call::kind::open
                         && kind != disk_call::kind::await;
    if (changes)
      ++calls;
    if (stops_at != 0 && calls >= stops_at)
      return gone();
    if (fault)
      return fault(disk_call{kind, name, changes ? calls : 0, bytes, offset, size});
    return std::nullopt;
  }

  void change_name(name_change change) {
    replay(names, change);
    unsynced_names.push_back(std::move(change));
  }

  /// The bytes are in the cache: what the platter makes of them.
  void decide_fate(memory_inode& node, const disk_call& x);

  void end_life() {
    ++life;
    is_open = false;
    stops_at = 0;
    holds_syncs = false;
    syncs_released.notify_all();
  }
};

} // namespace caucus::testing
