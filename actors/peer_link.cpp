#include "actors/peer_link.hpp"

namespace caucus {

peer_link::peer_link(caf::actor_config& cfg, caf::execution_unit* home, node_id peer,
                     node_context_ptr node)
  : on_worker{cfg, home}, peer_{peer}, node_{std::move(node)} {}

peer_link_actor::behavior_type peer_link::make_behavior() {
  return {
    [this](const link_up& x) {
      is_up_ = true;
      last_reason_.clear();
      node_->log().info("event=peer_up peer=" + std::to_string(peer_.value())
                        + " boot=" + std::to_string(x.peer.boot.value()));
    },
    [this](const link_down& x) {
      // A peer that stays away is dialled again and again: say so once for each reason.
      if (auto reason = to_string(x.reason); reason != last_reason_) {
        last_reason_ = std::move(reason);
        node_->log().warning("event=peer_down peer=" + std::to_string(peer_.value()) + " reason=\""
                             + last_reason_ + "\"");
      }
      if (!std::exchange(is_up_, false))
        return;
      node_->routes.for_each(
        [this](const replica_actor& replica) { send(replica, group_peer_down{peer_}); });
    },
  };
}

} // namespace caucus
