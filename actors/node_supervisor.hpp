#pragma once

#include "actors/node_context.hpp"
#include "actors/on_worker.hpp"

#include <functional>
#include <map>

namespace caucus {

/// Watches the node's actors. The death of one that the node can't do without, or of the log, takes
/// all groups of the node out of service, loudly: Raft tolerates a dead node, not a lying one. That
/// of a replica ends its group here. The runtime in turn watches this actor. It also keeps the
/// node's peers to those that the groups' configurations name.
class node_supervisor final : public on_worker<node_actor::base> {
public:
  /// Of the runtime, which outlives this actor; called on this actor's thread.
  struct callbacks {
    std::function<void(const error& reason)> on_failed;
    std::function<void(group_id group, const error& reason)> on_replica_died;
    // Both before the transport hears of it.
    std::function<void(node_id peer)> on_new_peer;
    /// @returns its link, to be ended; null if the node stops.
    std::function<peer_link_actor(node_id peer)> on_gone_peer;
  };

  node_supervisor(caf::actor_config& cfg, caf::execution_unit* home, node_context_ptr node,
                  callbacks runtime);

  node_actor::behavior_type make_behavior() override;
  const char* name() const override { return "node"; }
  void on_exit() override;

private:
  void on_death(const caf::down_msg& down);
  void learn(const node_members& x);
  [[nodiscard]] bool is_needed(node_id peer) const;
  void begin_to_leave();
  void drop(const node_drop_peer& x);

  node_context_ptr node_;
  callbacks runtime_;
  /// Where the peers are: those that are needed, and those that were until lately.
  std::map<node_id, endpoint> peers_;
  std::map<node_id, uint64_t> leaving_; ///< Needed by nobody: the ticket that drops it.
  uint64_t last_ticket_ = 0;
  std::map<group_id, node_members> groups_; ///< What each said last.
  std::map<caf::actor_addr, std::string> watched_;
  std::map<caf::actor_addr, group_id> replicas_;
  bool is_stopping_ = false;
};

} // namespace caucus
