#pragma once

#include "apps/bench/load_run.hpp"
#include "base/rng.hpp"
#include "caucus/messages.hpp"

#include <caf/event_based_actor.hpp>

#include <chrono>
#include <memory>

namespace caucus::bench {

/// A client with one command outstanding through the group's public handle, each with fresh random
/// bytes, each answer checked against them. By a pace it asks when the next is due, and what an
/// answer that is late holds up counts from when it was due. Lives on the application's scheduler.
class load_client final : public caf::event_based_actor {
public:
  load_client(caf::actor_config& cfg, std::shared_ptr<load_run> run, group_actor group,
              uint64_t seed);

  caf::behavior make_behavior() override;
  const char* name() const override { return "load_client"; }

private:
  void ask();
  void ask_next();
  void on_outcome(const outcome& answer);
  void on_failure(const std::string& what);

  std::shared_ptr<load_run> run_;
  group_actor group_;
  rng random_;
  uint32_t expected_ = 0; ///< Fingerprint of the command outstanding.
  std::chrono::steady_clock::time_point asked_;
  std::chrono::steady_clock::time_point due_; ///< By the pace.
};

} // namespace caucus::bench
