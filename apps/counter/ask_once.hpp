#pragma once

#include "client_system.hpp"
#include "counter_client.hpp"

#include <future>
#include <iostream>

namespace counter {

/// Asks through a client of its own and waits. `make` gets the deadline and whom to tell, and makes
/// the message to the client.
template <class Told, class Make>
Told ask_once(const client_options& options, Make make) {
  client_system_config config;
  caf::actor_system system{config};
  auto client = system.spawn<counter_client>(options);
  std::promise<Told> told;
  caf::anon_send(
    client, make(clock::now() + options.timeout, [&](Told x) { told.set_value(std::move(x)); }));
  auto result = told.get_future().get();
  caf::anon_send(client, end_session{}); // The actor system waits until it has ended.
  return result;
}

/// Says why nothing came of it, and gives the exit status (single_commands.hpp).
inline int report_failure(bool is_rejected, const std::string& reason) {
  std::cerr << "caucus-counter: "
            << (is_rejected ? "rejected (not executed): " : "unknown (may be executed): ") << reason
            << '\n';
  return is_rejected ? 1 : 3;
}

} // namespace counter
