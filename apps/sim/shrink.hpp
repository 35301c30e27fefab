#pragma once

#include "apps/sim/run.hpp"

namespace caucus::sim {

/// Looks for a smaller run that breaks the same invariant: fault classes off one by one, then fewer
/// events, nodes and clients. Tries `runs_max` runs at most. @returns the smallest one found.
run_report shrink(const run_report& failed, size_t runs_max = 300);

} // namespace caucus::sim
