#pragma once

#include "actors/machine_image.hpp"
#include "actors/spilling_sink.hpp"
#include "persistence/file.hpp"
#include "persistence/kept_snapshot.hpp"
#include "persistence/log_reader.hpp"
#include "persistence/snapshot_reader.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace caucus {

/// Whose snapshot it is.
struct snapshot_group {
  group_id id;
  std::string name;
};

/// Of which machine state a snapshot is to be made.
struct snapshot_plan {
  snapshot_group group;
  raft::snapshot_boundary at;
  int64_t wall_ns = 0; ///< Of the last entry.
  std::shared_ptr<const machine_image> image;
};

struct made_snapshot {
  persistence::kept_snapshot snapshot;
  uint64_t bytes = 0; ///< Of its content.
};

/// A node's snapshots where they lie: large ones as files in its directory, small ones in its log.
/// Its functions block on the disk. Any thread, if that may use the directory.
class snapshot_store {
public:
  snapshot_store(persistence::directory& dir, std::shared_ptr<persistence::log_reader> log,
                 cluster_id cluster) noexcept
    : directory_{dir}, log_{std::move(log)}, cluster_{cluster} {}

  /// Durable as a file when it returns; a small one has its bytes, which are for the log to keep.
  /// After a failure nothing is left of it (RELIABILITY E-06). For `keep_pace` see `spilling_sink`.
  result<made_snapshot> make(const snapshot_plan& plan, persistence::snapshot_uid uid,
                             spilling_sink::pacer keep_pace = {}) const;

  /// The machine's bytes. `malformed` or `wal_corrupt` if what the disk has is damaged; `not_found`
  /// if a newer one took its place.
  result<std::unique_ptr<snapshot_source>> open(group_id group,
                                                const persistence::kept_snapshot& from) const;

  /// A whole snapshot file, for a peer: a small one's is made in memory, under `uid`.
  result<persistence::snapshot_reader> open_file(const snapshot_group& group,
                                                 const persistence::kept_snapshot& from,
                                                 persistence::snapshot_uid uid) const;

  /// The newest of `known` that is sound to its end; those before it are damaged.
  struct sound_snapshot {
    std::optional<persistence::kept_snapshot> newest;
    std::vector<error> damaged;
  };
  [[nodiscard]] sound_snapshot
  find_sound(group_id group, const std::vector<persistence::kept_snapshot>& known) const;

  [[nodiscard]] persistence::directory& directory() const noexcept { return directory_; }
  [[nodiscard]] cluster_id cluster() const noexcept { return cluster_; }

private:
  [[nodiscard]] persistence::snapshot_header header_of(const snapshot_group& group,
                                                       const raft::snapshot_boundary& at,
                                                       int64_t wall_ns,
                                                       persistence::snapshot_uid uid) const;

  persistence::directory& directory_;
  std::shared_ptr<persistence::log_reader> log_;
  cluster_id cluster_;
};

} // namespace caucus
