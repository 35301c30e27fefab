#pragma once

#include "raft/core.hpp"

namespace caucus::raft {

/// What must be true of a replica at any time, and from one time to the next. Run after every step
/// by the tests and simulators; cheap enough for debug builds of the shell.
class invariants {
public:
  /// Throws `invariant_violation` naming the condition that doesn't hold.
  static void check(const core& x);
  /// What must never go back, given two pictures of the same life of a replica.
  static void check_step(const core_status& before, const core_status& after);

private:
  static void check_log(const log& x);
  static void check_configurations(const core& x);
  static void check_role(const core& x);
  static void check_sleeper(const core& x);
  static void check_peer(const core& x, const progress& peer);
};

} // namespace caucus::raft
