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
    [this](const node_members& x) { learn(x); },
    [this](const node_drop_peer& x) { drop(x); },
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

void node_supervisor::learn(const node_members& x) {
  if (is_stopping_)
    return;
  groups_.insert_or_assign(x.group, x);
  auto addresses = x.in_force->addresses;
  addresses.insert(x.committed->addresses.begin(), x.committed->addresses.end());
  addresses.erase(node_->options.id);
  bool is_news = false;
  for (auto& [id, address] : addresses) {
    auto [known, is_new] = peers_.try_emplace(id, address);
    if (is_new)
      runtime_.on_new_peer(id);
    is_news = is_news || is_new || known->second != address;
    known->second = address;
  }
  if (is_news)
    node_->links->set_peers(peers_);
  begin_to_leave();
}

bool node_supervisor::is_needed(node_id peer) const {
  auto self = node_->options.id;
  bool is_waiting = groups_.empty(); // For somebody to tell us of a group's members.
  for (auto& [id, group] : groups_) {
    if (group.in_force->is_member(peer) || group.committed->is_member(peer))
      return true;
    // While we read of a group's past, nobody knows whom we hear it from; and who was removed
    // keeps what it has.
    if (!group.in_force->voters.empty() && !group.in_force->is_member(self))
      return true;
    is_waiting = is_waiting || group.in_force->voters.empty();
  }
  return is_waiting && node_->options.members.contains(peer);
}

/// Who was removed may still want to hear that it was: for two election timeouts the core tells it
/// (`core::drop_departed`), and so long it may take until it asks for votes and is told then.
void node_supervisor::begin_to_leave() {
  auto& options = node_->options;
  const std::chrono::milliseconds grace{4 * options.election_ticks * options.tick_ms};
  for (auto& [id, address] : peers_) {
    if (is_needed(id)) {
      leaving_.erase(id);
    } else if (auto [leaving, is_new] = leaving_.try_emplace(id, last_ticket_ + 1); is_new) {
      ++last_ticket_;
      delayed_send(this, grace, node_drop_peer{id, last_ticket_});
    }
  }
}

void node_supervisor::drop(const node_drop_peer& x) {
  auto leaving = leaving_.find(x.peer);
  if (is_stopping_ || leaving == leaving_.end() || leaving->second != x.ticket)
    return;
  leaving_.erase(leaving);
  peers_.erase(x.peer);
  if (auto link = runtime_.on_gone_peer(x.peer)) {
    watched_.erase(link.address());
    demonitor(link.address());
    send_exit(link, caf::exit_reason::user_shutdown);
  }
  node_->links->set_peers(peers_);
  node_->log().info("event=peer_dropped peer=" + std::to_string(x.peer.value())
                    + " reason=\"no group has it as a member any more\"");
}

} // namespace caucus
