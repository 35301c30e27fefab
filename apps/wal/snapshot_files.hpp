#pragma once

#include "persistence/log_recovery.hpp"
#include "persistence/log_visitor.hpp"
#include "persistence/snapshot_name.hpp"

#include <map>
#include <string>
#include <vector>

namespace caucus::wal_tool {

/// What the snapshot files that a log refers to are like.
struct checked_snapshots {
  std::vector<persistence::log_problem> problems;
  /// By group: its log begins after entries that no snapshot has.
  std::map<std::string, std::string> lost;
};

/// Reads each file that a sound group's log refers to, to its end.
checked_snapshots check_snapshots(persistence::directory& dir,
                                  const persistence::wal_recovery& log);

/// The same file in another directory, durable. `malformed`: it is damaged, and nothing was copied.
result<void> copy_snapshot(persistence::directory& from, persistence::directory& into,
                           const persistence::snapshot_name& name);

} // namespace caucus::wal_tool
