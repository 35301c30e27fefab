#include "actors/node_supervisor.hpp"

namespace caucus {

node_supervisor::node_supervisor(caf::actor_config& cfg, caf::execution_unit* home,
                                 node_context_ptr node, callbacks runtime)
  : on_worker{cfg, home}, node_{std::move(node)}, runtime_{std::move(runtime)} {
  peers_ = node_->options.members;
  peers_.erase(node_->options.id);
}

node_actor::behavior_type node_supervisor::make_behavior() {
  set_down_handler([this](caf::down_msg& down) { on_death(down); });
  return {
    [this](const node_wal_failed& x) {
      if (!is_stopping_)
        runtime_.on_failed(x.reason);
    },
    [this](const node_watch& x) {
      auto who = caf::actor_cast<caf::actor>(x.who);
      monitor(who);
      watched_.emplace(who.address(), x.name);
    },
    [this](const node_watch_replica& x) {
      monitor(x.who);
      replicas_.emplace(x.who.address(), x.group);
    },
    [this](const node_members& x) { learn(*x.members); },
    [this](node_stopping) { is_stopping_ = true; },
  };
}

void node_supervisor::on_exit() { runtime_ = {}; }

void node_supervisor::on_death(const caf::down_msg& down) {
  if (is_stopping_)
    return;
  if (auto service = watched_.extract(down.source))
    runtime_.on_failed({errc::invariant_violated, "the node's " + service.mapped()
                                                    + " actor died: " + to_string(down.reason)});
  else if (auto replica = replicas_.extract(down.source))
    runtime_.on_replica_died(
      replica.mapped(),
      {errc::invariant_violated, "the replica's actor died: " + to_string(down.reason)});
}

void node_supervisor::learn(const membership::configuration& members) {
  if (is_stopping_)
    return;
  bool is_news = false;
  for (auto id : members.members()) {
    auto address = members.addresses.find(id);
    if (id == node_->options.id || address == members.addresses.end())
      continue;
    auto [known, is_new] = peers_.try_emplace(id, address->second);
    if (is_new)
      runtime_.on_new_peer(id);
    is_news = is_news || is_new || known->second != address->second;
    known->second = address->second;
  }
  if (is_news)
    node_->links->set_peers(peers_);
}

} // namespace caucus
