#pragma once

#include "client_options.hpp"

#include <caucus/messages.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace counter {

// For people: one operation, its outcome as a table, an exit status (0: done, 1: certainly not
// done, 3: unknown).

int run_add(const client_options& options, int64_t amount);
/// What each node of the list says of itself; nothing for those that don't within the timeout.
std::vector<std::optional<caucus::group_status>> ask_statuses(const client_options& options);
/// Asks each node of the list itself, also those without a leader.
int run_status(const client_options& options, bool as_json);
/// Prints each change of the leader, the current one first, until interrupted.
int run_watch(const client_options& options);

} // namespace counter
