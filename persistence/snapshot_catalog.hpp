#pragma once

#include "persistence/snapshot_reader.hpp"

#include <map>
#include <set>

namespace caucus::persistence {

/// Which snapshots a directory has, by the names of its files alone: with a hundred thousand groups
/// a start must not open as many files. Reading it writes nothing.
struct snapshot_catalog {
  std::map<group_id, std::vector<snapshot_name>> groups; ///< The newest of each first.
  std::vector<std::string> leftovers;                    ///< Temporaries, to be removed.

  static result<snapshot_catalog> read(directory& dir);

  /// Of one group, the newest first.
  [[nodiscard]] std::span<const snapshot_name> of(group_id group) const;
};

/// The newest snapshot that is sound to its end, and why newer ones weren't.
struct newest_snapshot {
  std::optional<snapshot_reader> reader; ///< At the beginning of its content; nothing: none.
  std::map<snapshot_name, error> damaged;
};

/// Tries the snapshots in the given order, reading each as a whole. One that is damaged or that the
/// disk can't read is passed over. Fails with `version_mismatch` for one of a newer build and with
/// `identity_mismatch` for one of another cluster: going on without it would be a step back that
/// nobody asked for.
result<newest_snapshot> open_newest(directory& dir, std::span<const snapshot_name> newest_first,
                                    cluster_id cluster);

/// Those whose header, size or trailer is damaged or can't be read; their content isn't looked at.
std::map<snapshot_name, error> find_damaged(directory& dir,
                                            std::span<const snapshot_name> snapshots);

/// What must not be deleted.
struct snapshot_needs {
  /// Of each group that exists, after which index its log begins: snapshots of older ones can't be
  /// continued with the log, all others can (RELIABILITY S-55). Of groups that aren't here nothing
  /// is kept.
  std::map<group_id, index_t> log_begins_after;
  std::set<snapshot_name> in_use;  ///< Being sent or restored, of whatever group (N-05).
  std::set<snapshot_name> damaged; ///< As far as is known: they don't count as kept.
  size_t kept = 2;                 ///< Of each group, the newest that aren't damaged.
};

/// What may be deleted: neither in use, nor among the newest `kept` sound ones of its group or
/// newer than the oldest of these, nor needed to go with the log.
std::vector<snapshot_name> find_superfluous(const snapshot_catalog& catalog,
                                            const snapshot_needs& needs);

/// Removes the files, all that can be, and syncs the directory. The first failure.
result<void> remove_snapshots(directory& dir, std::span<const snapshot_name> names);
/// Of a catalog that was read before anything here is made or received.
result<void> remove_leftovers(directory& dir, const snapshot_catalog& catalog);

} // namespace caucus::persistence
