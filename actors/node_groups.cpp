// The other half of node_runtime: groups come, and everything goes.

#include "actors/group_founding.hpp"
#include "actors/group_replica.hpp"
#include "actors/machine_host.hpp"
#include "actors/node_runtime.hpp"

#include <caf/send.hpp>

namespace caucus {

namespace {

/// Whether these members founded the cluster: by its founding, or, if it began from a backup or by
/// force, by a group that began with them. Who has joined has no such group.
bool is_founded_by(const std::set<node_id>& members, const membership::founding& founding,
                   const std::vector<persistence::recovered_group>& groups) {
  return founding.id == membership::founded_by(members).id
         || std::any_of(groups.begin(), groups.end(),
                        [&](const auto& x) { return x.descriptor.members.voters == members; });
}

/// What the groups of a node keep in memory of entries that nobody waits for, about: few groups
/// what fits into a cache, thousands little each.
uint64_t tail_bytes_kept(size_t groups) {
  constexpr uint64_t all = 64 << 20;
  return std::clamp<uint64_t>(all / std::max<size_t>(groups, 1), 4 << 10, 256 << 10);
}

raft::core_options core_options(const node_context& node, group_id group, boot_count boot) {
  auto& from = node.options;
  return {.group = group,
          .self = from.id,
          .boot = boot.value(),
          .election_ticks = static_cast<uint32_t>(from.election_ticks),
          .heartbeat_ticks = static_cast<uint32_t>(from.heartbeat_ticks),
          // Who lost touch with a group that sleeps asks, and disturbs nobody by it.
          .quiesce_ticks = from.pre_vote ? static_cast<uint32_t>(from.quiesce_ticks) : 0,
          .pre_vote = from.pre_vote,
          .check_quorum = from.check_quorum,
          .lease = from.lease,
          .tick_ns = static_cast<int64_t>(from.tick_ms) * 1'000'000,
          .clock_drift_max_ns = static_cast<int64_t>(from.clock_drift_max_ms) * 1'000'000,
          .forward_proposals = from.forward_proposals,
          .append_bytes_max = static_cast<uint32_t>(from.append_bytes_max),
          .inflight_messages_max = static_cast<uint32_t>(from.inflight_messages_max),
          .inflight_bytes_max = from.inflight_bytes_max,
          .uncommitted_bytes_max = from.uncommitted_bytes_max,
          .forwarded_bytes_max = from.uncommitted_bytes_max,
          .forwarded_max = static_cast<uint32_t>(from.waiting_commands_max),
          .proposal_bytes_max = static_cast<uint32_t>(from.proposal_bytes_max),
          .tail_bytes_max = from.tail_bytes_max,
          .apply_bytes_max = from.apply_bytes_max,
          .seed = node.environment->seed};
}

/// The application's part of making a group.
result<node_runtime::new_machine> make_machine(const std::string& name,
                                               const machine_factory& factory) {
  auto failed = [&](const std::string& why) {
    return error{errc::machine_failed, "group '" + name + "': " + why};
  };
  try {
    if (auto machine = factory())
      return std::make_shared<std::unique_ptr<state_machine>>(std::move(machine));
    return failed("its factory made no machine");
  } catch (const std::exception& thrown) {
    return failed(std::string{"its factory threw: "} + thrown.what());
  } catch (...) {
    return failed("its factory threw something that is no std::exception");
  }
}

} // namespace

result<std::optional<group_actor>> node_runtime::claim(const std::string& name) {
  std::unique_lock guard{mutex_};
  auto made_by = being_made_.find(name);
  if (made_by != being_made_.end() && made_by->second == std::this_thread::get_id())
    return error{errc::invalid_argument, "group '" + name
                                           + "': the factory of its machine asks for the group "
                                             "that it is called for"};
  group_was_made_.wait(guard, [&] { return is_stopped_ || !being_made_.contains(name); });
  if (is_stopped_)
    return error{errc::stopping, "the node is stopped"};
  if (auto found = groups_.find(name); found != groups_.end())
    return std::optional{found->second.handle};
  if (auto* known = recall(name); known && known->damaged)
    return *known->damaged;
  being_made_.emplace(name, std::this_thread::get_id());
  return std::optional<group_actor>{};
}

void node_runtime::give_up_claim(const std::string& name) {
  std::lock_guard guard{mutex_};
  being_made_.erase(name);
  group_was_made_.notify_all();
}

persistence::recovered_group* node_runtime::recall(const std::string& name) {
  const auto known = recovered_.find(name);
  return known == recovered_.end() ? nullptr : &recovery_.groups[known->second];
}

persistence::group_descriptor node_runtime::describe_new(const std::string& name) const {
  uint64_t generation = 1;
  for (auto& gone : recovery_.tombstones)
    if (gone.name == name)
      generation = std::max(generation, gone.generation + 1);
  const auto& options = context_->options;
  // Who joined, or is about to, learns them from the log. Founders all begin with the same ones.
  const bool is_founder =
    !options.join
    && is_founded_by(ids_of(options.members), context_->peers->founding(), recovery_.groups);
  return {hash_group(name, generation), generation, name, replica_uid{recovery_.boot.value()},
          is_founder ? founding_members(options) : membership::configuration{}};
}

result<group_actor> node_runtime::create_group(const std::string& name,
                                               const machine_factory& factory) {
  if (name.empty() || name.size() > 255)
    return error{errc::invalid_argument, "a group's name has 1 to 255 bytes"};
  if (!factory)
    return error{errc::invalid_argument, "group '" + name + "': there is no factory of machines"};
  auto there = claim(name);
  if (!there)
    return there.reason();
  if (*there)
    return **there;
  std::shared_ptr<void> claimed{nullptr, [&](void*) { give_up_claim(name); }};
  // The application's code: it may take long, fail, or use this node, so no lock is held.
  auto machine = make_machine(name, factory);
  if (!machine)
    return machine.reason();
  auto begin = choose_beginning_of(name); // Reads it as a whole.
  if (!begin)
    return begin.reason();
  std::lock_guard guard{mutex_};
  if (is_stopped_)
    return error{errc::stopping, "the node is stopped"};
  if (!health_.healthy)
    return error{errc::stopping, "group '" + name + "' can't be opened, for the node is out of "
                                   + "service: " + health_.reason};
  try {
    auto opened = spawn_group(recall(name), name, *machine, *std::move(begin));
    context_->routes.add(opened.group, opened.replica);
    caf::anon_send(context_->supervisor, node_watch_replica{opened.replica, opened.group});
    return groups_.emplace(name, std::move(opened)).first->second.handle;
  } catch (const std::exception& broken) {
    return error{errc::invariant_violated, "group '" + name + "': " + broken.what()};
  }
}

result<group_beginning> node_runtime::choose_beginning_of(const std::string& name) {
  auto* known = recall(name);
  if (known == nullptr)
    return group_beginning{};
  auto begin = choose_beginning(*known, *context_->store);
  if (!begin)
    return begin;
  for (const auto& damaged : begin->damaged)
    context_->log().warning("group=" + name + " event=snapshot_damaged reason=\""
                            + to_string(damaged) + "\"");
  known->snapshots = begin->snapshots;
  return begin;
}

node_runtime::open_group node_runtime::spawn_group(persistence::recovered_group* known,
                                                   const std::string& name,
                                                   const new_machine& machine,
                                                   group_beginning begin) {
  auto& options = context_->options;
  auto room = std::make_shared<admission>(options.waiting_commands_max,
                                          options.uncommitted_bytes_max, context_->uncommitted);
  caf::actor_config handle_config;
  auto handle = caf::make_actor<group_handle, caf::strong_actor_ptr>(
    system_.next_actor_id(), system_.node(), &system_, handle_config,
    group_handle::limits{options.proposal_bytes_max, room});
  auto* handle_actor = static_cast<group_handle*>(handle->get());

  // A copy: whatever fails below, the next try finds all that is known. It shares the entries.
  auto from_disk = known ? *known : persistence::recovered_group{.descriptor = describe_new(name)};
  auto group = from_disk.descriptor.group;
  auto state = core_state(from_disk);
  state.applied = begin.loaded ? begin.loaded->at.last.index : index_t{};
  auto spawn_machine = [home = machine_home(), system = &system_, alive = machines_, machine,
                        name](const replica_actor& replica, index_t replay_until) {
    caf::actor_config config{home};
    auto who = system->spawn_class<machine_host, caf::no_spawn_options>(
      config, home, machine_host::setup{name, std::move(*machine), replica, replay_until});
    alive->add(who);
    return who;
  };
  auto core_of_group = core_options(*context_, group, recovery_.boot);
  core_of_group.tail_bytes_kept =
    tail_bytes_kept(std::max(groups_.size() + 1, recovery_.groups.size()));
  group_replica::setup how{.descriptor = std::move(from_disk.descriptor),
                           .core = raft::core{core_of_group, std::move(state)},
                           .is_new = known == nullptr,
                           .recovered_last = from_disk.last,
                           .snapshots = std::move(begin.snapshots),
                           .loaded = std::move(begin.loaded),
                           .room = room,
                           .handle = handle,
                           .spawn_machine = std::move(spawn_machine)};
  auto* home = consensus_home(group.value());
  caf::actor_config config{home};
  auto replica =
    caf::actor_cast<replica_actor>(system_.spawn_class<group_replica, caf::no_spawn_options>(
      config, home, std::move(how), context_));
  census_.add(replica);
  handle_actor->attach(replica);
  if (known) { // The replica has it now.
    known->runs = {};
    known->tail = {};
  }
  return {group, caf::actor_cast<group_actor>(handle), std::move(room), std::move(replica)};
}

void node_runtime::stop() {
  {
    std::lock_guard guard{mutex_};
    if (std::exchange(is_stopped_, true))
      return;
    group_was_made_.notify_all();
  }
  if (context_->supervisor) { // Else the start failed before any actor was there.
    caf::anon_send(context_->supervisor, node_stopping{});
    stop_groups();
    stop_services();
  }
  directory_.reset(); // Last: whoever starts next on it finds the log closed.
}

void node_runtime::stop_groups() {
  auto& environment = *context_->environment;
  for (auto& [name, group] : groups_)
    group.room->close();
  environment.wait_until(
    [this] {
      return std::all_of(groups_.begin(), groups_.end(),
                         [](auto& x) { return x.second.room->commands() == 0; });
    },
    std::chrono::milliseconds{context_->options.drain_timeout_ms});
  for (auto& [name, group] : groups_)
    caf::anon_send(group.replica, group_fault{{errc::node_stopped, "the node is stopping"}});
}

void node_runtime::stop_services() {
  // Nothing may come in while actors disappear; after this the transport's thread is gone.
  context_->links->stop();
  inbound_.release();
  caf::anon_send(context_->wal, wal_close{});
  auto end = [](const auto& who) { caf::anon_send_exit(who, caf::exit_reason::user_shutdown); };
  end(context_->pulse);
  end(context_->reader);
  end(context_->snapshots);
  end(context_->collector);
  for (auto& [peer, link] : links_)
    end(link);
  end(context_->sender);
  end(context_->supervisor);
  // A machine that is busy is waited for: its thread can't be taken away.
  context_->environment->wait_until([this] { return census_.is_empty() && machines_->is_empty(); },
                                    std::chrono::hours{24});
  for (auto& [name, group] : groups_) {
    auto* handle = caf::actor_cast<caf::abstract_actor*>(group.handle);
    static_cast<group_handle*>(handle)->close();
    static_cast<group_handle*>(handle)->cleanup(caf::exit_reason::user_shutdown, nullptr);
  }
  for (auto& thread : workers_)
    thread->stop();
  if (machine_worker_)
    machine_worker_->stop();
  for (auto& thread : own_threads_)
    thread->stop();
  links_.clear();
  groups_.clear();
  context_->routes.clear();
  context_->wal = nullptr;
  context_->reader = nullptr;
  context_->snapshots = nullptr;
  context_->collector = nullptr;
  context_->sender = nullptr;
  context_->pulse = nullptr;
  context_->supervisor = nullptr;
}

} // namespace caucus
