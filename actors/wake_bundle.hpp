#pragma once

#include <caf/execution_unit.hpp>
#include <caf/resumable.hpp>

#include <chrono>
#include <vector>

namespace caucus {

/// Gathers actors of the application that became ready to run, and hands them to its scheduler many
/// at a time. CAF's scheduler wakes a thread for every actor it is given; where answers come in
/// batches, that thread would take the CPU for one answer, sleep, and be woken for the next one,
/// which was most of the cost of a command. Passed to `enqueue` in place of a host; one thread.
class wake_bundle final : public caf::execution_unit {
public:
  explicit wake_bundle(caf::actor_system& system) : caf::execution_unit{&system} {}
  wake_bundle(const wake_bundle&) = delete;
  wake_bundle& operator=(const wake_bundle&) = delete;
  ~wake_bundle() override { hand_over(); }

  void exec_later(caf::resumable* job) override;
  /// Hands over early what has waited for some time: a slow batch must not delay its first answers.
  void hand_over_if_late();

private:
  using clock = std::chrono::steady_clock;

  void hand_over();

  std::vector<caf::resumable*> jobs_;
  clock::time_point since_; ///< When the first of `jobs_` came.
};

} // namespace caucus
