#pragma once

#include "actors/election_pace.hpp"
#include "actors/node_context.hpp"
#include "actors/on_worker.hpp"

#include <map>

namespace caucus {

/// The node's heartbeat: one timer for all groups that are awake, and one merged heartbeat message
/// for each peer whatever the number of groups.
class pulse final : public on_worker<pulse_actor::base> {
public:
  pulse(caf::actor_config& cfg, caf::execution_unit* home, node_context_ptr node);

  pulse_actor::behavior_type make_behavior() override;
  const char* name() const override { return "pulse"; }

private:
  void arm_timer();
  void tick();
  void flush();

  node_context_ptr node_;
  std::map<node_id, std::vector<transport::routed_message>> heartbeats_;
  bool is_armed_ = false;
  bool knew_room_ = true; ///< On the disk, at the last tick.
  election_pace pace_;
  caf::actor_clock::time_point armed_at_;
};

} // namespace caucus
