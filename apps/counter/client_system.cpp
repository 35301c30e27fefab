#include "client_system.hpp"

#include <caf/io/middleman.hpp>
#include <caucus/messages.hpp>

namespace counter {

client_system_config::client_system_config() {
  add_message_types<caf::id_block::caucus_messages>();
  load<caf::io::middleman>();
  // CAF's default scheduler lets busy actors starve others.
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads", size_t{1});
}

} // namespace counter
