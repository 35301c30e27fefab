#include "actors/pulse.hpp"

namespace caucus {

pulse::pulse(caf::actor_config& cfg, caf::execution_unit* home, node_context_ptr node)
  : on_worker{cfg, home},
    node_{std::move(node)},
    pace_{static_cast<uint32_t>(node_->options.election_ticks)} {}

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
      const auto waited = clock().now() - armed_at_;
      arm_timer();
      pace_.note(2 * waited > 3 * std::chrono::milliseconds{node_->options.tick_ms});
      tick();
    },
    [this](pulse_flush) {
      is_armed_ = false;
      flush();
    },
  };
}

void pulse::arm_timer() {
  armed_at_ = clock().now();
  delayed_send(this, std::chrono::milliseconds{node_->options.tick_ms}, pulse_tick{});
}

void pulse::tick() {
  // Its timeout is drawn from [n, 2n), and there should be time for one election more.
  const auto tries = static_cast<uint32_t>(3 * node_->options.election_ticks);
  node_->ticks.for_each_due({pace_.groups(), tries}, [this](const replica_actor& who, bool counts) {
    send(who, group_tick{counts});
  });
  // Of a disk that is full, or has room again, all must hear at once, sleepers, too.
  if (const bool has_room = node_->room.is_there(); std::exchange(knew_room_, has_room) != has_room)
    node_->ticks.for_each([this](const replica_actor& who) { send(who, group_tick{false}); });
}

void pulse::flush() {
  for (auto& [peer, messages] : heartbeats_)
    if (!messages.empty())
      send(node_->sender, transport_batch{peer, std::exchange(messages, {})});
}

} // namespace caucus
