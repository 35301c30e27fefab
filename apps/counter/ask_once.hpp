#pragma once

#include "client_system.hpp"
#include "counter_client.hpp"

#include <future>
#include <iostream>

namespace counter {

/// A client for as long as a command takes, which asks one thing after the other and waits.
class waiting_client {
public:
  explicit waiting_client(const client_options& options)
    : options_{options}, client_{client_system().spawn<counter_client>(options)} {}
  ~waiting_client() { end_client(client_); }

  /// `make` gets the deadline and whom to tell, and makes the message to the client.
  template <class Told, class Make>
  Told ask(Make make) {
    std::promise<Told> told;
    caf::anon_send(client_, make(clock::now() + options_.timeout,
                                 [&](Told x) { told.set_value(std::move(x)); }));
    return told.get_future().get();
  }

private:
  client_options options_;
  caf::actor client_;
};

/// Through a client of its own.
template <class Told, class Make>
Told ask_once(const client_options& options, Make make) {
  return waiting_client{options}.ask<Told>(std::move(make));
}

/// Says why nothing came of it, and gives the exit status (single_commands.hpp).
inline int report_failure(bool is_rejected, const std::string& reason) {
  std::cerr << "caucus-counter: "
            << (is_rejected ? "rejected (not executed): " : "unknown (may be executed): ") << reason
            << '\n';
  return is_rejected ? 1 : 3;
}

} // namespace counter
