#include "actors/node_runtime.hpp"

#include "actors/gc.hpp"
#include "actors/group_replica.hpp"
#include "actors/log_fetcher.hpp"
#include "actors/machine_host.hpp"
#include "actors/new_cluster.hpp"
#include "actors/node_supervisor.hpp"
#include "actors/peer_link.hpp"
#include "actors/pulse.hpp"
#include "actors/snapshotter.hpp"
#include "actors/transport_hub.hpp"
#include "actors/wal_writer.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace caucus {

template <class Actor, class... Ts>
auto node_runtime::spawn_on(caf::execution_unit* home, Ts&&... xs) {
  caf::actor_config config{home};
  auto who = caf::actor_cast<typename Actor::actor_hdl>(
    system_.spawn_class<Actor, caf::no_spawn_options>(config, home, std::forward<Ts>(xs)...));
  census_.add(who);
  return who;
}

template <class Actor, class... Ts>
auto node_runtime::spawn_blocking(std::string thread_name, Ts&&... xs) {
  if (context_->environment->is_cooperative)
    return spawn_on<Actor>(nullptr, std::forward<Ts>(xs)...);
  auto& thread =
    own_threads_.emplace_back(std::make_unique<worker>(system_, std::move(thread_name)));
  if constexpr (requires { Actor::niceness; })
    thread->start(Actor::niceness);
  else
    thread->start();
  return spawn_on<Actor>(thread->home(), std::forward<Ts>(xs)...);
}

namespace {

std::string join(const std::set<node_id>& nodes) {
  std::string text;
  for (auto id : nodes)
    text += (text.empty() ? "" : ",") + std::to_string(id.value());
  return text;
}

/// Every group begins with the members of the options. A start that names others would only be
/// refused later, after it had counted a boot and greeted its peers.
result<void> check_members(const persistence::wal_recovery& found, const node_options& options,
                           const std::string& path) {
  auto named = ids_of(options.members);
  // A group that this node has joined began without members here.
  for (auto& group : found.groups)
    if (!group.descriptor.members.voters.empty() && group.descriptor.members.voters != named)
      return error{errc::already_exists, "group '" + group.descriptor.name + "' in " + path
                                           + " was created with the members "
                                           + join(group.descriptor.members.voters) + ", not with "
                                           + join(named)
                                           + " as --members names them; start it with those, the "
                                             "group knows who came and went since"};
  return {};
}

/// Which cluster the node belongs to; none for one that joins and has met nobody yet. What was
/// written stays, whatever lists come later: members change, foundings don't.
membership::founding find_founding(const persistence::wal_recovery& found,
                                   const node_options& options) {
  if (found.founding.id)
    return found.founding;
  // A directory from before foundings were written: a group that wasn't joined names them.
  for (auto& group : found.groups)
    if (!group.descriptor.members.voters.empty())
      return membership::founded_by(group.descriptor.members.voters);
  if (options.join || !found.groups.empty())
    return {};
  return membership::founded_by(ids_of(options.members));
}

} // namespace

node_runtime::node_runtime(caf::actor_system& system, node_context_ptr context)
  : system_{system}, context_{std::move(context)}, inbound_{*context_} {}

node_runtime::~node_runtime() { stop(); }

result<std::shared_ptr<node_runtime>>
node_runtime::start(caf::actor_system& system, const node_options& options,
                    std::shared_ptr<node_environment> environment) {
  if (auto valid = validate(options); !valid)
    return valid.reason();
  std::optional<persistence::snapshot_reader> backup;
  if (!options.restore_file.empty()) {
    auto opened = open_backup_of(options.restore_file, options.restore_group);
    if (!opened)
      return std::move(opened).reason();
    backup.emplace(*std::move(opened));
  }
  auto context = std::make_shared<node_context>();
  context->options = options;
  context->environment = std::move(environment);
  context->uncommitted = std::make_shared<budget>(options.node_uncommitted_bytes_max);
  context->inbound = std::make_shared<budget>(options.inbound_bytes_max);
  // The address first: if it is taken, nothing has been written.
  auto links = context->environment->make_transport(options);
  if (!links)
    return links.reason();
  context->links = *std::move(links);
  auto runtime = std::make_shared<node_runtime>(system, std::move(context));
  if (auto opened = runtime->open_storage(backup ? &*backup : nullptr); !opened)
    return opened.reason();
  if (auto started = runtime->start_actors(); !started)
    return started.reason();
  return runtime;
}

result<void> node_runtime::open_storage(persistence::snapshot_reader* backup) {
  auto& options = context_->options;
  auto& log = context_->log();
  auto directory = context_->environment->open_directory(options);
  if (!directory)
    return directory.reason();
  directory_ = *std::move(directory);
  persistence::wal_options wal_options;
  wal_options.segment_bytes = options.segment_bytes;
  wal_options.spare_segments_max = options.spare_segments;
  wal_options.recovered_tail_bytes = options.tail_bytes_max;
  wal_options.new_directory = context_->environment->new_directory;
  if (backup != nullptr)
    if (auto done = restore_backup(*directory_, *backup, options, wal_options, log); !done)
      return done;
  if (options.force_new_cluster)
    if (auto done = force_new_cluster(*directory_, options, wal_options, log); !done)
      return done;
  auto opened = persistence::wal::open(
    *directory_, {hash_cluster_name(options.cluster), options.id}, wal_options,
    [&](uint64_t done, uint64_t total) {
      if (done < total) // The end is told by what comes next.
        log.info("event=recovering bytes=" + std::to_string(done) + " of=" + std::to_string(total));
    },
    [&](const persistence::wal_recovery& found) {
      return check_members(found, options, directory_->path());
    });
  if (!opened)
    return opened.reason();
  log_ = std::move(opened->log);
  reader_ = log_->reader();
  recovery_ = std::move(opened->recovery);
  for (size_t i = 0; i < recovery_.groups.size(); ++i) // As many are opened, one by one.
    recovered_.emplace(recovery_.groups[i].descriptor.name, i);
  for (auto& warning : recovery_.warnings)
    log.warning("event=recovery_warning " + warning);
  for (auto peer : options.accept_directories) {
    std::erase_if(recovery_.peers, [&](auto& known) { return known.node == peer; });
    log_->add_forgotten(peer);
  }
  if (auto founding = find_founding(recovery_, options); founding != recovery_.founding) {
    log_->add(founding);
    recovery_.founding = std::move(founding);
  }
  if (log_->staged_bytes() > 0) // Before anybody hears of it.
    if (auto written = log_->commit(true); !written)
      return written.reason();
  if (auto tidied = remove_unknown_snapshots(*directory_, recovery_); !tidied)
    return tidied.reason();
  auto events = context_->environment->open_event_log(options);
  if (!events)
    return events.reason();
  context_->events = *std::move(events);
  return {};
}

void node_runtime::start_workers() {
  if (context_->environment->is_cooperative)
    return;
  for (uint64_t i = 0; i < context_->options.workers; ++i)
    workers_.push_back(std::make_unique<worker>(system_, "caucus.group" + std::to_string(i)));
  machine_worker_ = std::make_unique<worker>(system_, "caucus.machine");
  for (auto& thread : workers_)
    thread->start();
  machine_worker_->start();
}

caf::execution_unit* node_runtime::consensus_home(uint64_t shard) {
  return workers_.empty() ? nullptr : workers_[shard % workers_.size()]->home();
}

caf::execution_unit* node_runtime::machine_home() {
  return machine_worker_ ? machine_worker_->home() : nullptr;
}

result<void> node_runtime::start_actors() {
  auto& options = context_->options;
  start_workers();
  auto peers = options.members;
  peers.erase(options.id);
  context_->peers = std::make_unique<peer_registry>(options.id, ids_of(options.members),
                                                    recovery_.peers, recovery_.founding);
  context_->supervisor = spawn_on<node_supervisor>(
    consensus_home(0), context_,
    node_supervisor::callbacks{
      .on_failed = [this](const error& reason) { fail(reason); },
      .on_replica_died = [this](group_id group, const error& reason) { fail_group(group, reason); },
      .on_new_peer = [this](node_id peer) { add_peer(peer); },
      .on_gone_peer = [this](node_id peer) { return remove_peer(peer); }});
  context_->supervisor->attach_functor([this](const caf::error& reason) {
    fail({errc::invariant_violated, "the node's supervisor actor died: " + to_string(reason)});
  });
  context_->sender = spawn_on<transport_hub>(consensus_home(0), context_);
  context_->wal = spawn_blocking<wal_writer>("caucus.wal", std::move(log_), context_);
  context_->store = std::make_shared<const snapshot_store>(*directory_, reader_,
                                                           hash_cluster_name(options.cluster));
  context_->collector = spawn_blocking<gc>("caucus.gc", reader_, context_);
  context_->reader = spawn_blocking<log_fetcher>("caucus.reader", std::move(reader_), context_);
  context_->snapshots = spawn_blocking<snapshotter>("caucus.snapshot", context_->store,
                                                    recovery_.boot.value(), context_);
  context_->pulse = spawn_on<pulse>(consensus_home(0), context_);
  auto watch = [this](const auto& who, std::string name) {
    caf::anon_send(context_->supervisor,
                   node_watch{caf::actor_cast<caf::strong_actor_ptr>(who), std::move(name)});
  };
  watch(context_->sender, "transport");
  watch(context_->wal, "wal_writer");
  watch(context_->reader, "log_reader");
  watch(context_->snapshots, "snapshotter");
  watch(context_->collector, "gc");
  watch(context_->pulse, "pulse");
  std::set<node_id> linked{node_id{}}; // Those who are no peers are one of them.
  for (auto& [id, address] : peers)
    linked.insert(id);
  for (auto id : linked)
    add_link(id);
  transport::node_identity self{hash_cluster_name(options.cluster), options.id, recovery_.directory,
                                recovery_.boot, recovery_.founding};
  if (auto started = context_->links->start(self, inbound_); !started)
    return started.reason();
  context_->links->set_peers(peers);
  context_->log().info("event=node_started node=" + std::to_string(options.id.value())
                       + " boot=" + std::to_string(recovery_.boot.value())
                       + " peer_address=" + to_string(context_->links->local_endpoint()) + " data="
                       + directory_->path() + " groups=" + std::to_string(recovery_.groups.size())
                       + " founders=\"" + recovery_.founding.members + "\"");
  return {};
}

void node_runtime::add_link(node_id peer) {
  auto link = spawn_on<peer_link>(consensus_home(0), peer, context_);
  caf::anon_send(context_->supervisor,
                 node_watch{caf::actor_cast<caf::strong_actor_ptr>(link), "peer_link"});
  inbound_.add_link(peer, link);
  links_.emplace(peer, std::move(link));
}

void node_runtime::add_peer(node_id peer) {
  std::lock_guard guard{mutex_};
  if (is_stopped_)
    return;
  context_->peers->add_member(peer);
  add_link(peer);
}

peer_link_actor node_runtime::remove_peer(node_id peer) {
  std::lock_guard guard{mutex_};
  if (is_stopped_)
    return {};
  context_->peers->remove_member(peer);
  inbound_.remove_link(peer);
  auto link = links_.extract(peer);
  return link ? std::move(link.mapped()) : peer_link_actor{};
}

void node_runtime::fail(const error& reason) {
  {
    std::lock_guard guard{mutex_};
    if (is_stopped_)
      return;
    if (health_.healthy)
      health_ = {false, to_string(reason)};
  }
  context_->log().error(
    "event=node_failed node=" + std::to_string(context_->options.id.value()) + " reason=\""
    + to_string(reason)
    + "\" action=\"all groups of this node are out of service; restart it once the "
      "cause is gone\"");
  context_->routes.for_each(
    [&](const replica_actor& replica) { caf::anon_send(replica, group_fault{reason}); });
}

void node_runtime::fail_group(group_id group, const error& reason) {
  std::lock_guard guard{mutex_};
  if (is_stopped_)
    return;
  context_->routes.remove(group);
  for (auto& [name, one] : groups_) {
    if (one.group != group)
      continue;
    context_->log().error("group=" + name + " event=quarantined reason=\"" + to_string(reason)
                          + "\"");
    auto* handle = caf::actor_cast<caf::abstract_actor*>(one.handle);
    static_cast<group_handle*>(handle)->quarantine({.group = name,
                                                    .node = context_->options.id.value(),
                                                    .role = "quarantined",
                                                    .fault = to_string(reason)});
  }
}

node_health node_runtime::health() const {
  std::lock_guard guard{mutex_};
  auto told = health_;
  if (told.healthy)
    told.trouble = context_->room.why_not();
  return told;
}

} // namespace caucus
