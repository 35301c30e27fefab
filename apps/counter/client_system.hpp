#pragma once

#include <caf/actor_system_config.hpp>

namespace counter {

/// An actor system that only talks to nodes: no configuration file, one thread, BASP.
class client_system_config : public caf::actor_system_config {
public:
  client_system_config();
};

} // namespace counter
