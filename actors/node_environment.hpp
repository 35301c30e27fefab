#pragma once

#include "actors/event_log.hpp"
#include "base/instant.hpp"
#include "base/log.hpp"
#include "caucus/options.hpp"
#include "persistence/file.hpp"
#include "transport/transport.hpp"

#include <caf/actor_system.hpp>

#include <functional>
#include <memory>

namespace caucus {

/// All that surrounds a node: files, network, time, threads. The default is the real thing; tests
/// and simulations replace parts. Everything here outlives the node.
struct node_environment {
  std::function<result<std::unique_ptr<persistence::directory>>(const node_options&)>
    open_directory;
  std::function<result<std::unique_ptr<transport::transport>>(const node_options&)> make_transport;
  /// Made after the directory is open, in it.
  std::function<result<std::unique_ptr<event_log>>(const node_options&)> open_event_log;
  std::function<int64_t()> wall_clock_ns;
  /// Blocks a thread that does nothing but slow work; none in a simulation, where there is none.
  std::function<void(std::chrono::nanoseconds)> pause;
  std::shared_ptr<logger> log;
  uint64_t seed = 0;          ///< Of election timers; mixed with group and node.
  directory_id new_directory; ///< Identity of a directory made now; 0: random.
  /// No threads: every actor runs on the system's own (testing) scheduler.
  bool is_cooperative = false;
  /// Waits until `done` holds; a simulation runs its scheduler meanwhile. False at the deadline.
  std::function<bool(const std::function<bool()>& done, std::chrono::milliseconds limit)>
    wait_until;
};

/// Real files, sockets, clocks and threads.
std::shared_ptr<node_environment> make_production_environment();

} // namespace caucus
