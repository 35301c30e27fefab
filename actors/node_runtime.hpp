#pragma once

#include "actors/actor_census.hpp"
#include "actors/group_beginning.hpp"
#include "actors/group_handle.hpp"
#include "actors/inbound.hpp"
#include "actors/node_context.hpp"
#include "actors/worker.hpp"
#include "caucus/node.hpp"
#include "persistence/wal.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <unordered_map>

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

  /// A group's machine on its way to its actor. Shared because closures must be copyable.
  using new_machine = std::shared_ptr<std::unique_ptr<state_machine>>;

private:
  struct open_group {
    group_id group;
    group_actor handle;
    std::shared_ptr<admission> room;
    replica_actor replica;
  };

  /// `backup`: what the cluster begins with, or null.
  result<void> open_storage(persistence::snapshot_reader* backup);
  result<void> start_actors();
  void start_workers();
  /// The node can't go on: all its groups are out of service, loudly. Any thread.
  void fail(const error& reason);
  /// One group can't: its replica is gone. Any thread.
  void fail_group(group_id group, const error& reason);
  void add_link(node_id peer);
  void add_peer(node_id peer);
  /// Its link, which the caller ends; null if there is none.
  peer_link_actor remove_peer(node_id peer);

  /// The group's handle if it is open. Else the caller alone makes it and then gives up its claim;
  /// whoever else asks for the name meanwhile waits.
  result<std::optional<group_actor>> claim(const std::string& name);
  void give_up_claim(const std::string& name);
  /// What the log knew of the group at the start; null if it never was.
  persistence::recovered_group* recall(const std::string& name);
  [[nodiscard]] persistence::group_descriptor describe_new(const std::string& name) const;
  /// Of a group that the log doesn't know: nothing. Warns of damaged snapshots.
  result<group_beginning> choose_beginning_of(const std::string& name);
  /// `known`: as of `recall`; untouched if this throws.
  open_group spawn_group(persistence::recovered_group* known, const std::string& name,
                         const new_machine& machine, group_beginning begin);

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
  std::unordered_map<std::string_view, size_t> recovered_; ///< Which of its groups has a name.
  std::vector<std::unique_ptr<worker>> workers_;           ///< Consensus.
  std::unique_ptr<worker> machine_worker_;
  std::vector<std::unique_ptr<worker>> own_threads_; ///< Of one actor that blocks, each.
  inbound inbound_;
  actor_census census_;
  std::map<node_id, peer_link_actor> links_;

  mutable std::mutex mutex_; ///< Guards what follows.
  std::map<std::string, open_group> groups_;
  std::map<std::string, std::thread::id> being_made_; ///< And by whom.
  std::condition_variable group_was_made_;            ///< Or not: its claim was given up.
  std::shared_ptr<actor_census> machines_ = std::make_shared<actor_census>();
  node_health health_;
  bool is_stopped_ = false;
};

} // namespace caucus
