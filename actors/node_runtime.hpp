#pragma once

#include "actors/actor_census.hpp"
#include "actors/group_handle.hpp"
#include "actors/inbound.hpp"
#include "actors/node_context.hpp"
#include "actors/worker.hpp"
#include "caucus/node.hpp"
#include "persistence/wal.hpp"

#include <map>
#include <mutex>

namespace caucus {

/// Everything one node owns, in the order in which it comes up and goes down. The only place that
/// decides on which thread an actor lives.
class node_runtime {
public:
  static result<std::shared_ptr<node_runtime>> start(caf::actor_system& system,
                                                     const node_options& options,
                                                     std::shared_ptr<node_environment> environment);
  node_runtime(caf::actor_system& system, node_context_ptr context);
  ~node_runtime();

  result<group_actor> create_group(const std::string& name, const machine_factory& machine);
  void stop();
  [[nodiscard]] node_health health() const;
  [[nodiscard]] const node_context& context() const noexcept { return *context_; }

private:
  struct open_group {
    group_actor handle;
    std::shared_ptr<admission> room;
    replica_actor replica;
  };

  result<void> open_storage();
  result<void> start_actors();
  void start_workers();
  void set_unhealthy(const std::string& reason);

  result<persistence::recovered_group> recall(const std::string& name, bool& is_new);
  open_group spawn_group(persistence::recovered_group from_disk, bool is_new,
                         const machine_factory& machine);

  /// Spawns on a worker (`home`), or wherever the system puts it.
  template <class Actor, class... Ts>
  auto spawn_on(caf::execution_unit* home, Ts&&... xs);
  /// Spawns with a thread of its own, for those that block; cooperative in simulations.
  template <class Actor, class... Ts>
  auto spawn_blocking(std::string thread_name, Ts&&... xs);
  [[nodiscard]] caf::execution_unit* consensus_home(uint64_t shard);
  [[nodiscard]] caf::execution_unit* machine_home();

  void stop_groups();
  void stop_services();

  caf::actor_system& system_;
  node_context_ptr context_;
  std::unique_ptr<persistence::directory> directory_;
  std::unique_ptr<persistence::wal> log_; ///< Until the writer takes it.
  std::shared_ptr<persistence::log_reader> reader_;
  persistence::wal_recovery recovery_;
  std::vector<std::unique_ptr<worker>> workers_; ///< Consensus.
  std::unique_ptr<worker> machine_worker_;
  std::vector<std::unique_ptr<worker>> own_threads_; ///< Of one actor that blocks, each.
  inbound inbound_;
  actor_census census_;
  std::vector<peer_link_actor> links_;

  mutable std::mutex mutex_; ///< Guards what follows.
  std::map<std::string, open_group> groups_;
  std::shared_ptr<actor_census> machines_ = std::make_shared<actor_census>();
  node_health health_;
  bool is_stopped_ = false;
};

} // namespace caucus
