#pragma once

#include "persistence/wal_recovery.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace caucus::testing {

/// What a node's log says, for comparison.
struct log_state {
  struct group_log {
    raft::hard_state hard;
    raft::entry_id begins_after;
    uint64_t begin_voter = 0; ///< The only one as of `begins_after`; 0: as it was created.
    std::vector<raft::entry_id> entries;
    std::map<uint64_t, uint64_t> configurations; ///< Index of the entry; its only voter.
    std::map<uint64_t, std::string> snapshots;   ///< By index: the bytes, or "file".

    [[nodiscard]] uint64_t last() const { return begins_after.index.value() + entries.size(); }
    [[nodiscard]] raft::entry_id at(uint64_t index) const {
      const auto begin = begins_after.index.value();
      return index == begin ? begins_after : entries[index - begin - 1];
    }
    /// What came up to `at` is forgotten; there its only voter is `begin_voter`.
    void begin_after(raft::entry_id at) {
      const auto dropped = std::min<uint64_t>(at.index - begins_after.index, entries.size());
      entries.erase(entries.begin(), entries.begin() + static_cast<ptrdiff_t>(dropped));
      begins_after = at;
      begin_voter = 1 + at.index.value() % 9;
      configurations.erase(configurations.begin(), configurations.upper_bound(at.index.value()));
      snapshots.erase(snapshots.begin(), snapshots.lower_bound(at.index.value()));
    }

    friend bool operator==(const group_log&, const group_log&) = default;
  };

  std::map<uint64_t, group_log> groups;
  std::map<uint64_t, uint64_t> peers;
  std::set<uint64_t> deleted;

  friend bool operator==(const log_state&, const log_state&) = default;
};

inline log_state state_of(const persistence::wal_recovery& found) {
  log_state state;
  for (const auto& group : found.groups) {
    auto& log = state.groups[group.descriptor.group.value()];
    log.hard = group.hard;
    log.begins_after = group.begins_after.last;
    if (log.begins_after.index)
      log.begin_voter = group.members().voters.begin()->value();
    for (const auto& x : group.snapshots)
      log.snapshots[x.at.last.index.value()] = x.is_small ? std::string{x.bytes.view()} : "file";
    for (const auto& x : group.tail)
      log.entries.push_back(x->id);
    for (const auto& x : group.configurations)
      log.configurations[x.id.value()] = x.members->voters.begin()->value();
  }
  for (const auto& peer : found.peers)
    state.peers[peer.node.value()] = peer.directory.value();
  for (const auto& tombstone : found.tombstones)
    state.deleted.insert(tombstone.group.value());
  return state;
}

} // namespace caucus::testing
