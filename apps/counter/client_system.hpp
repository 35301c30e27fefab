#pragma once

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>

namespace counter {

/// The actor system in which this process's clients live: it only talks to nodes. Begun at the
/// first call and never taken down, for that has no limit: CAF waits for a connection attempt to a
/// host that is switched off, which takes minutes, and without end if one is handed over at that
/// moment. Who has called this ends the process by `leave`.
caf::actor_system& client_system();

/// Has a `counter_client` close its session, and waits until it is gone, half a second at most.
void end_client(const caf::actor& client);

/// Ends the process with what was printed, and without CAF's consent.
[[noreturn]] void leave(int status);

} // namespace counter
