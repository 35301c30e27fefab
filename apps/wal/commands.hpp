#pragma once

#include <optional>
#include <string>

namespace caucus::wal_tool {

/// What a command looks at, and how it tells.
struct settings {
  std::string directory;
  bool as_json = false;
  std::optional<std::string> group; ///< Its name or number; nothing: all.
  bool shows_payloads = false;
  std::string into; ///< A new directory, for what a repair keeps.
  bool is_dry_run = false;
  bool is_confirmed = false; ///< What is lost may be lost.
};

// Each returns the exit status: 0; 1 if something is wrong with the log; 2 if it can't be looked
// at.

/// Segments and groups as tables.
int run_inspect(const settings& x);
/// Every problem, and what a start would make of them.
int run_verify(const settings& x);
/// Every record in the log's order.
int run_dump(const settings& x);
/// The entries that a group's log has now.
int run_export(const settings& x);
/// The snapshot files, each read to its end.
int run_snapshots(const settings& x);
/// Writes what still makes sense of a damaged log into a new directory.
int run_repair(const settings& x);

} // namespace caucus::wal_tool
