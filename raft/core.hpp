#pragma once

#include "base/instant.hpp"
#include "raft/core_options.hpp"
#include "raft/core_status.hpp"
#include "raft/input.hpp"
#include "raft/ready.hpp"
#include "raft/recovered_state.hpp"

namespace caucus::raft {

/// One replica of one group: the pure part of Raft. Inputs go in through `step`, everything that
/// the shell must do comes out of `take_ready`. Owned by its shell, used from one thread at a time;
/// knows no clock, file, socket or thread. Many steps may be taken before one ready: that is the
/// batching point.
class core {
public:
  core(core_options options, recovered_state from_disk);
  ~core();
  core(core&&) noexcept;
  core& operator=(core&&) noexcept;

  /// Never fails and never blocks: what makes no sense is counted and dropped. Throws
  /// `invariant_violation` if a rule of Raft itself is broken; the core is unusable then.
  void step(input in, instant now);

  /// Whether `take_ready` would bring anything.
  [[nodiscard]] bool has_ready() const noexcept;
  /// What to do next; leaves nothing behind.
  [[nodiscard]] ready take_ready(instant now);

  [[nodiscard]] core_status describe() const;
};

} // namespace caucus::raft
