#include "actors/pulse.hpp"

namespace caucus {

pulse::pulse(caf::actor_config& cfg, caf::execution_unit* home, node_context_ptr node)
  : on_worker{cfg, home}, node_{std::move(node)} {}

pulse_actor::behavior_type pulse::make_behavior() {
  arm_timer();
  return {
    [this](const pulse_heartbeats& x) {
      for (auto& beat : x.heartbeats)
        heartbeats_[beat.to].push_back(
          {x.group, raft::heartbeat{beat.term, beat.commit, beat.context}});
      if (!is_armed_) {
        is_armed_ = true;
        send(this, pulse_flush{});
      }
    },
    [this](pulse_tick) {
      // Armed anew from now: after a pause there is one late tick, never a burst of them that would
      // start elections at once (RELIABILITY C-04).
      arm_timer();
      node_->routes.for_each([this](const replica_actor& replica) { send(replica, group_tick{}); });
    },
    [this](pulse_flush) {
      is_armed_ = false;
      flush();
    },
  };
}

void pulse::arm_timer() {
  delayed_send(this, std::chrono::milliseconds{node_->options.tick_ms}, pulse_tick{});
}

void pulse::flush() {
  for (auto& [peer, messages] : heartbeats_)
    if (!messages.empty())
      send(node_->sender, transport_batch{peer, std::exchange(messages, {})});
}

} // namespace caucus
