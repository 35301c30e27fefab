#pragma once

#include "client_options.hpp"

#include <caucus/messages.hpp>

#include <optional>
#include <string_view>

namespace counter {

/// linearizable, lease, stale; nothing for other words.
std::optional<caucus::freshness> to_freshness(std::string_view word);

// For people: reads without the log, and what an operator does to the group. Exit status as in
// single_commands.hpp.

int run_get(const client_options& options, caucus::freshness how);
int run_members(const client_options& options, bool as_json);
int run_change(const client_options& options, caucus::change_members what);
int run_transfer(const client_options& options, uint64_t target);
int run_step_down(const client_options& options);

} // namespace counter
