#include "actors/transport_hub.hpp"

#include "actors/said_again.hpp"

namespace caucus {

transport_hub::transport_hub(caf::actor_config& cfg, caf::execution_unit* home,
                             node_context_ptr node)
  : on_worker{cfg, home}, node_{std::move(node)} {}

transport_actor::behavior_type transport_hub::make_behavior() {
  return {
    [this](transport_send& x) {
      for (auto& message : x.messages)
        waiting_[message.to].push_back({x.group, std::move(message.body)});
      arm();
    },
    [this](transport_batch& x) {
      auto& batch = waiting_[x.to];
      std::move(x.messages.begin(), x.messages.end(), std::back_inserter(batch));
      arm();
    },
    [this](transport_flush) {
      is_armed_ = false;
      flush();
    },
  };
}

void transport_hub::arm() {
  if (is_armed_)
    return;
  is_armed_ = true;
  send(this, transport_flush{});
}

void transport_hub::flush() {
  for (auto& [peer, messages] : waiting_) {
    if (messages.empty())
      continue;
    // Only these groups sent something that is lost now; a leader falls back to probing the peer.
    // Else a dead peer would cost each of thousands of leaders a message a tick.
    std::vector<group_id> groups;
    for (auto& message : messages)
      if (!is_said_again(message.body) && (groups.empty() || groups.back() != message.group))
        groups.push_back(message.group);
    if (node_->links->send(peer, std::exchange(messages, {})))
      continue;
    for (auto group : groups)
      if (auto replica = node_->routes.find(group))
        send(replica, group_peer_down{peer});
  }
}

} // namespace caucus
