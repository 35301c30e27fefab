#pragma once

#include "actors/node_context.hpp"
#include "actors/on_worker.hpp"

#include <functional>
#include <map>

namespace caucus {

/// Watches the node's actors. The death of one that the node can't do without, or of the log, takes
/// all groups of the node out of service, loudly: Raft tolerates a dead node, not a lying one.
class node_supervisor final : public on_worker<node_actor::base> {
public:
  using unhealthy_callback = std::function<void(const std::string& reason)>;

  node_supervisor(caf::actor_config& cfg, caf::execution_unit* home, node_context_ptr node,
                  unhealthy_callback on_unhealthy);

  node_actor::behavior_type make_behavior() override;
  const char* name() const override { return "node"; }
  void on_exit() override;

private:
  void fail(const error& reason);

  node_context_ptr node_;
  unhealthy_callback on_unhealthy_;
  std::map<caf::actor_addr, std::string> watched_;
  bool is_stopping_ = false;
};

} // namespace caucus
