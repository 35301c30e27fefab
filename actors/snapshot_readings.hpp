#pragma once

#include "actors/snapshot_store.hpp"
#include "caucus/messages.hpp"

namespace caucus {

/// The snapshot files that clients are reading, part by part, for backups. Each stays open, so that
/// all parts are of one file whatever newer snapshots take its place (RELIABILITY N-05), and a few
/// at most: a client that goes away must not hold the disk's space for ever. Owned by the
/// snapshotter.
class snapshot_readings {
public:
  static constexpr size_t readings_max = 4;

  struct part {
    uint64_t offset = 0;
    uint64_t bytes_max = snapshot_read_bytes_max;
  };
  /// That part of the file, at most `snapshot_read_bytes_max`; less if it ends before.
  /// Opens it if it's not open and `known`. `not_found`: neither. `uid`: for a small one, whose
  /// file is made when it is opened.
  result<shared_bytes> read(const snapshot_store& store, const snapshot_group& group, index_t index,
                            const std::optional<persistence::kept_snapshot>& known, part wanted,
                            persistence::snapshot_uid uid);
  /// Closes those that weren't read since the last call. True if some are still open.
  bool close_unread();

private:
  struct reading {
    group_id group;
    index_t index;
    persistence::snapshot_reader file;
    bool is_read = true; ///< Since `close_unread` was called.
  };

  std::vector<reading> open_; ///< The one that was read last at the end.
};

} // namespace caucus
