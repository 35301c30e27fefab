#pragma once

#include "actors/caller.hpp"
#include "actors/snapshot_schedule.hpp"
#include "persistence/kept_snapshot.hpp"

#include <optional>
#include <vector>

namespace caucus {

/// What a replica knows of its group's snapshots: the two kept, the one being made, the one
/// received.
struct replica_snapshots {
  std::vector<persistence::kept_snapshot>
    kept;                              ///< Newest first, without bytes; the log knows them.
  std::vector<raft::entry_id> damaged; ///< Files that aren't kept any more: they go with the next.
  uint64_t newest_bytes = 0; ///< Content of the newest; 0: it wasn't made since the start.
  snapshot_schedule schedule;
  bool is_making = false;
  std::optional<persistence::kept_snapshot> marking;  ///< Made; the log is being told.
  std::optional<persistence::kept_snapshot> received; ///< From a peer; what it's good for, the core
                                                      ///< says with its next ready.
  std::vector<caller> callers;                        ///< Who asked for the one being made.

  /// Files that an installed snapshot has taken the place of. Until the log has begun anew durably
  /// a start may need them, and until the machine has loaded the new one it may still open them.
  struct superseded {
    std::vector<raft::entry_id> files;
    persist_seq log_restart;
    index_t loaded;
  };
  std::vector<superseded> old;
  persist_seq persisted; ///< What the disk and the machine have told.
  index_t applied;

  [[nodiscard]] raft::entry_id newest() const {
    return kept.empty() ? raft::entry_id{} : kept.front().at.last;
  }
};

} // namespace caucus
