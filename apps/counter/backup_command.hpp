#pragma once

#include "client_options.hpp"

#include <string>

namespace counter {

// Copies of the state. Both ask one node: the leader if it is one of `options.nodes`, since a
// follower may not have all that was acknowledged yet, else the first that answers. Exit status as
// in single_commands.hpp.

int run_snapshot(const client_options& options);
/// Writes the node's newest state as a file here, on the client's machine: the node makes a
/// snapshot, and its file's bytes come over the client's connection as answers to requests for one
/// part after the other (`caucus::read_snapshot`), so that neither side holds more than one part.
/// The file is checked as a whole before it has its name (caucus/backup.hpp).
int run_backup(const client_options& options, const std::string& path, bool may_replace);

} // namespace counter
