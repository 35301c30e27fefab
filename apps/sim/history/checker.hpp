#pragma once

#include "apps/sim/history/operation.hpp"

#include <cstddef>
#include <span>
#include <string>

namespace caucus::sim::history {

enum class verdict {
  linearizable,
  not_linearizable,
  undecided, ///< Too many possibilities at once; to be counted as a failure.
};

struct judgement {
  enum verdict verdict = verdict::linearizable;
  std::string why; ///< Which operation fits nowhere, for people; empty if all do.
};

/// Whether there is an order of the operations that respects who returned before who was called,
/// and in which each answer is what the object says (Herlihy and Wing). Objects are judged one by
/// one, as linearizability is local. Operations that certainly never happened don't belong into
/// the history.
///
/// Sweeps through time with all states that the object may be in (Lowe's just-in-time
/// linearization): an operation is placed at the latest when it returns. `possibilities_max` bounds
/// the states at one time.
judgement check(std::span<const operation> history, size_t possibilities_max = 100'000);

} // namespace caucus::sim::history
