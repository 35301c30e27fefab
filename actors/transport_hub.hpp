#pragma once

#include "actors/node_context.hpp"
#include "actors/on_worker.hpp"

#include <map>

namespace caucus {

/// Gathers what the groups have for each peer and hands it over as one frame: under load many
/// groups' messages share it. Its flush comes behind everything queued, so an idle system waits for
/// nothing.
class transport_hub final : public on_worker<transport_actor::base> {
public:
  transport_hub(caf::actor_config& cfg, caf::execution_unit* home, node_context_ptr node);

  transport_actor::behavior_type make_behavior() override;
  const char* name() const override { return "transport"; }

private:
  void arm();
  void flush();

  node_context_ptr node_;
  std::map<node_id, std::vector<transport::routed_message>> waiting_;
  bool is_armed_ = false;
};

} // namespace caucus
