#pragma once

#include "actors/node_context.hpp"
#include "actors/on_worker.hpp"
#include "persistence/log_reader.hpp"

namespace caucus {

/// Reads entries that left memory, for peers that lag and machines that start. Runs on a thread of
/// its own because reads block. Replicas ask for one stretch a target at a time, which bounds its
/// work.
class log_fetcher final : public on_worker<log_reader_actor::base> {
public:
  log_fetcher(caf::actor_config& cfg, caf::execution_unit* home,
              std::shared_ptr<persistence::log_reader> log, node_context_ptr node);

  log_reader_actor::behavior_type make_behavior() override;
  const char* name() const override { return "log_reader"; }

private:
  std::shared_ptr<persistence::log_reader> log_;
  node_context_ptr node_;
};

} // namespace caucus
