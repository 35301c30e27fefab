#pragma once

#include "client_options.hpp"

#include <caf/event_based_actor.hpp>

namespace counter {

/// Whether a TCP connection to `where` comes up within `patience`; the caller waits for that. Asked
/// before CAF is told to connect: CAF 0.17 does that without a limit, minutes if the host is
/// switched off, and makes all other connections of the process wait behind it.
bool is_reachable(const address& where, std::chrono::milliseconds patience);

/// To a probe: answered with a bool, `is_reachable`.
struct probe_host {};

/// Asks `is_reachable` for a client, on a thread of its own. One a link, to which it is linked.
class host_probe final : public caf::event_based_actor {
public:
  host_probe(caf::actor_config& config, counter::address where, std::chrono::milliseconds patience)
    : caf::event_based_actor{config}, where_{std::move(where)}, patience_{patience} {}

  caf::behavior make_behavior() override {
    return {[this](probe_host) { return is_reachable(where_, patience_); }};
  }
  const char* name() const override { return "host_probe"; }

private:
  counter::address where_;
  std::chrono::milliseconds patience_;
};

} // namespace counter

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(counter::probe_host)
