#include "actors/node_supervisor.hpp"

namespace caucus {

node_supervisor::node_supervisor(caf::actor_config& cfg, caf::execution_unit* home,
                                 node_context_ptr node, unhealthy_callback on_unhealthy)
  : on_worker{cfg, home}, node_{std::move(node)}, on_unhealthy_{std::move(on_unhealthy)} {}

node_actor::behavior_type node_supervisor::make_behavior() {
  set_down_handler([this](caf::down_msg& down) {
    auto found = watched_.find(down.source);
    if (found == watched_.end() || is_stopping_)
      return;
    fail({errc::invariant_violated,
          "the node's " + found->second + " actor died: " + to_string(down.reason)});
    watched_.erase(found);
  });
  return {
    [this](const node_wal_failed& x) { fail(x.reason); },
    [this](const node_watch& x) {
      auto who = caf::actor_cast<caf::actor>(x.who);
      monitor(who);
      watched_.emplace(who.address(), x.name);
    },
    [this](node_stopping) { is_stopping_ = true; },
  };
}

void node_supervisor::on_exit() { on_unhealthy_ = nullptr; }

void node_supervisor::fail(const error& reason) {
  if (is_stopping_)
    return;
  node_->log().error(
    "event=node_failed node=" + std::to_string(node_->options.id.value()) + " reason=\""
    + to_string(reason)
    + "\" action=\"all groups of this node are out of service; restart it once the "
      "cause is gone\"");
  on_unhealthy_(to_string(reason));
  node_->routes.for_each([&](const replica_actor& replica) { send(replica, group_fault{reason}); });
}

} // namespace caucus
