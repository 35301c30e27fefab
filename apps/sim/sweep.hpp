#pragma once

#include "apps/sim/command_line.hpp"

namespace caucus::sim {

/// Does what the command line asks for, on standard output. @returns the exit status: 0, 1 for a
/// broken invariant, 2 for a file that can't be used.
int sweep(const settings& asked);
/// Judges the history in this file, and says so. @returns the exit status.
int judge_history(const std::string& name);

} // namespace caucus::sim
