#pragma once

#include "caucus/error.hpp"
#include "caucus/types.hpp"

#include <functional>
#include <map>
#include <string>

namespace caucus {

/// What a backup says of itself. A backup is one file: a snapshot of a group as its nodes make it
/// (docs/snapshot_format.md), with the machine's state and the sessions at one index of the log.
struct backup_info {
  cluster_id cluster; ///< Of the nodes it comes from: the hash of their cluster's name.
  group_id group;
  std::string group_name; ///< Empty in backups of builds that didn't write it.
  index_t index;          ///< The last entry whose effect is in it, and that one's term.
  term_t term;
  int64_t wall_ns = 0;        ///< Of that entry.
  uint64_t configuration = 0; ///< The number of the members' configuration there.
  std::map<node_id, endpoint> members;
  uint64_t file_bytes = 0;
  uint64_t id = 0; ///< Of this very backup: what began from one file is one cluster.
};

/// Reads all of the file. `malformed` names the file and the offset of what is damaged.
result<backup_info> inspect_backup(const std::string& path);

/// The bytes of a snapshot's file from `offset` on, as many as come at a time; none at its end.
using backup_source = std::function<result<shared_bytes>(uint64_t offset)>;

/// Writes a backup under a temporary name beside `path`, syncs it, reads all of it back, and only
/// then gives it its name: whatever has that name is whole. `already_exists` unless it may replace
/// a file there. After a failure the temporary is gone, and what was there is as it was.
result<backup_info> write_backup(const std::string& path, bool may_replace,
                                 const backup_source& from);

} // namespace caucus
