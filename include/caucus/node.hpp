#pragma once

#include "caucus/messages.hpp"
#include "caucus/options.hpp"
#include "caucus/state_machine.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <map>
#include <memory>

namespace caucus {

/// Registers what Caucus sends between processes and, unless the user chose a scheduler, `sharing`:
/// CAF's default policy can starve an application's own actors (docs/architecture.md). Call it on
/// the configuration before the actor system is made.
void setup(caf::actor_system_config& config);

struct node_environment;
class node_runtime;

/// How well a node is.
struct node_health {
  bool healthy = true;
  std::string reason; ///< Why not.
  /// What it can't do for now: the disk is full, say. It goes on by itself once that is mended.
  std::string trouble{};
};

/// What a node has done since it started, for rates.
struct node_counters {
  uint64_t log_batches = 0;     ///< Writes to the log.
  uint64_t log_syncs = 0;       ///< Those that were followed by a sync.
  uint64_t inbound_dropped = 0; ///< Messages of peers dropped for want of memory.
  uint64_t awake_groups = 0;    ///< Now: groups here that the node's timer ticks; the others sleep.
  /// Connections that ended because of bytes that are no frame, by peer; node 0: whoever hadn't
  /// said its name, or isn't a peer.
  std::map<node_id, uint64_t> frame_errors;
};

/// One Caucus node inside an actor system: owns the data directory, the log, the links to its peers
/// and the replicas. A cheap handle; the node stops when the last one is gone. Thread-safe.
class node {
public:
  /// Checks the options, binds the peer address, opens the directory and recovers its log, in this
  /// order: a start that fails has written nothing. The error is one line that names what to do.
  static result<node> start(caf::actor_system& system, const node_options& options);
  /// The same with other surroundings: files, network, clock, threads (tests, and those who bring
  /// their own).
  static result<node> start(caf::actor_system& system, const node_options& options,
                            std::shared_ptr<node_environment> environment);

  /// Opens this node's replica of the group, making it if it never was: local, durable and
  /// idempotent. Every member's program does the same with the same name. A name that this
  /// directory knows with other members is refused.
  result<group_actor> create_group(const std::string& name, const machine_factory& machine);

  /// Closes the intake, lets running commands finish (`drain-timeout-ms`), closes log and links.
  /// What is still unanswered then is told `unknown`. Blocks; a second call returns at once.
  void stop();

  [[nodiscard]] node_health health() const;
  [[nodiscard]] node_counters counters() const;
  [[nodiscard]] node_id id() const;
  /// Where peers reach it: the port that was bound, if the options said 0.
  [[nodiscard]] endpoint peer_endpoint() const;

  explicit node(std::shared_ptr<node_runtime> runtime) : runtime_{std::move(runtime)} {}

private:
  std::shared_ptr<node_runtime> runtime_;
};

} // namespace caucus
