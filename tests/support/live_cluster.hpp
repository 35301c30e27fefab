#pragma once

#include "actors/node_environment.hpp"
#include "apps/sim/disk/memory_directory.hpp"
#include "caucus/node.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>

#include <map>
#include <optional>

namespace caucus::testing {

/// Nodes with their real threads, sockets on loopback and clocks, in one actor system; only the
/// disks are in memory, so that a test can stop one. For what virtual time can't show.
class live_cluster {
public:
  live_cluster(caf::actor_system& system, uint64_t nodes, machine_factory machine);
  ~live_cluster();

  /// Fast elections: 10 ticks of 20 ms.
  void start_all();
  void stop(uint64_t id);

  [[nodiscard]] group_actor group(uint64_t id) const { return groups_.at(id); }
  [[nodiscard]] node& node_of(uint64_t id) { return nodes_.at(id); }
  [[nodiscard]] memory_disk& disk(uint64_t id) { return *disks_.at(id); }
  [[nodiscard]] group_status status(uint64_t id);
  /// Waits until a majority follows one leader; 0 if that takes longer than 20 s.
  [[nodiscard]] uint64_t wait_for_leader();
  /// None if no answer came within `limit`.
  std::optional<outcome> propose(uint64_t id, std::string_view payload,
                                 std::chrono::milliseconds limit);

  static bool wait_until(const std::function<bool()>& done,
                         std::chrono::milliseconds limit = std::chrono::seconds{20});

private:
  caf::actor_system& system_;
  caf::scoped_actor self_;
  machine_factory machine_;
  std::map<uint64_t, std::unique_ptr<memory_disk>> disks_;
  std::map<uint64_t, node> nodes_;
  std::map<uint64_t, group_actor> groups_;
};

} // namespace caucus::testing
