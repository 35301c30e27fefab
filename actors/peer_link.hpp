#pragma once

#include "actors/node_context.hpp"
#include "actors/on_worker.hpp"
#include "actors/peer_notices.hpp"

namespace caucus {

/// One peer, as the actors see it: the connection itself lives on the transport's thread. Tells the
/// groups when the peer is lost and people when it comes, goes or is refused. The one of node 0
/// stands for all who are no peers.
class peer_link final : public on_worker<peer_link_actor::base> {
public:
  peer_link(caf::actor_config& cfg, caf::execution_unit* home, node_id peer, node_context_ptr node);

  peer_link_actor::behavior_type make_behavior() override;
  const char* name() const override { return "peer_link"; }

private:
  void say(node_id about, const error& reason, std::string_view event);

  node_id peer_;
  node_context_ptr node_;
  bool is_up_ = false;
  peer_notices notices_;
};

} // namespace caucus
