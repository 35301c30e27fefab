#include "client_system.hpp"

#include "counter_client.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>

#include <cstdlib>
#include <iostream>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

namespace counter {

namespace {

/// No configuration file, one thread, BASP.
class client_config : public caf::actor_system_config {
public:
  client_config() {
    add_message_types<caf::id_block::caucus_messages>();
    load<caf::io::middleman>();
    // CAF's default scheduler lets busy actors starve others.
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", size_t{1});
  }
};

struct endless_system {
  client_config config;
  caf::actor_system actors{config};
};

} // namespace

caf::actor_system& client_system() {
  static auto& one = *new endless_system;
  return one.actors;
}

void end_client(const caf::actor& client) {
  caf::scoped_actor self{client_system()};
  self->send(client, end_session{});
  self->wait_for(client);
}

void leave(int status) {
  std::cout.flush();
#ifdef __SANITIZE_ADDRESS__
  __lsan_do_leak_check(); // Else only done on the way out that isn't taken.
#endif
  std::quick_exit(status);
}

} // namespace counter
