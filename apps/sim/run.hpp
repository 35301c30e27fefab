#pragma once

#include "apps/sim/options.hpp"
#include "apps/sim/totals.hpp"
#include "apps/sim/world.hpp"

#include <string>
#include <vector>

namespace caucus::sim {

/// What became of one run.
struct run_report {
  options what;
  std::string invariant; ///< Broken; empty: none.
  std::string detail;
  uint64_t trace_hash = 0;
  totals counts;
  coverage reached;
  std::vector<history::operation> history;

  [[nodiscard]] bool is_clean() const noexcept { return invariant.empty(); }
};

/// Runs it once, from start to end.
run_report run(const options& x, const run_settings& how);

} // namespace caucus::sim
