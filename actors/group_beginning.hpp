#pragma once

#include "actors/snapshot_store.hpp"
#include "persistence/wal_recovery.hpp"
#include "raft/recovered_state.hpp"

namespace caucus {

/// What a group that the log knows begins with at a start.
struct group_beginning {
  std::vector<persistence::kept_snapshot> snapshots; ///< Known and not found damaged; no bytes.
  std::optional<persistence::kept_snapshot> loaded;  ///< The newest; nothing: an empty state.
  std::vector<error> damaged;                        ///< Why newer ones can't be loaded.
};

/// Reads snapshots as a whole, until one is sound. `wal_corrupt` if the log's front is gone and no
/// snapshot of it can be read.
result<group_beginning> choose_beginning(const persistence::recovered_group& known,
                                         const snapshot_store& store);

/// For the group's core, `applied` left to the caller. Takes the log's parts out of `from_disk`.
raft::recovered_state core_state(persistence::recovered_group& from_disk);

/// Removes what a start finds of snapshots that the log knows nothing of: unfinished, or not told
/// it before the end came.
result<void> remove_unknown_snapshots(persistence::directory& dir,
                                      const persistence::wal_recovery& found);

} // namespace caucus
