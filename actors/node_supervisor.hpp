#pragma once

#include "actors/node_context.hpp"
#include "actors/on_worker.hpp"

#include <functional>
#include <map>

namespace caucus {

/// Watches the node's actors. The death of one that the node can't do without, or of the log, takes
/// all groups of the node out of service, loudly: Raft tolerates a dead node, not a lying one. That
/// of a replica ends its group here. The runtime in turn watches this actor.
class node_supervisor final : public on_worker<node_actor::base> {
public:
  /// Of the runtime, which outlives this actor; called on this actor's thread.
  struct callbacks {
    std::function<void(const error& reason)> on_failed;
    std::function<void(group_id group, const error& reason)> on_replica_died;
    std::function<void(node_id peer)> on_new_peer; ///< Before the transport hears of it.
  };

  node_supervisor(caf::actor_config& cfg, caf::execution_unit* home, node_context_ptr node,
                  callbacks runtime);

  node_actor::behavior_type make_behavior() override;
  const char* name() const override { return "node"; }
  void on_exit() override;

private:
  void on_death(const caf::down_msg& down);
  void learn(const membership::configuration& members);

  node_context_ptr node_;
  callbacks runtime_;
  /// Of all groups, and those that the options name. A member that was removed stays until the node
  /// restarts: it may still want to hear that it was.
  std::map<node_id, endpoint> peers_;
  std::map<caf::actor_addr, std::string> watched_;
  std::map<caf::actor_addr, group_id> replicas_;
  bool is_stopping_ = false;
};

} // namespace caucus
