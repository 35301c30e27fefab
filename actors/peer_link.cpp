#include "actors/peer_link.hpp"

namespace caucus {

peer_link::peer_link(caf::actor_config& cfg, caf::execution_unit* home, node_id peer,
                     node_context_ptr node)
  : on_worker{cfg, home}, peer_{peer}, node_{std::move(node)} {}

peer_link_actor::behavior_type peer_link::make_behavior() {
  return {
    [this](const link_up& x) {
      is_up_ = true;
      notices_.clear();
      node_->log().info("event=peer_up peer=" + std::to_string(peer_.value())
                        + " boot=" + std::to_string(x.peer.boot.value()));
    },
    [this](const link_down& x) {
      auto was_up = std::exchange(is_up_, false);
      if (was_up)
        notices_.clear();
      say(x.claimed, x.reason, "peer_down");
      const auto tell = [this](const replica_actor& replica) {
        send(replica, group_peer_down{peer_});
      };
      if (was_up)
        node_->routes.for_each(tell);
      else if (peer_ != node_id{}) // With every try: whoever fell asleep since doesn't know.
        node_->ticks.for_each_sleeper(tell);
    },
    [this](const link_refused& x) { say(x.claimed, x.reason, "peer_refused"); },
  };
}

void peer_link::say(node_id about, const error& reason, std::string_view event) {
  if (notices_.is_due(about, reason.code, clock().now()))
    node_->log().warning("event=" + std::string{event} + " peer=" + std::to_string(about.value())
                         + " reason=\"" + to_string(reason) + "\"");
}

} // namespace caucus
