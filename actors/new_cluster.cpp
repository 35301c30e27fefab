#include "actors/new_cluster.hpp"

#include "actors/backup_reader.hpp"
#include "actors/group_founding.hpp"
#include "actors/spilling_sink.hpp"
#include "membership/configuration_codec.hpp"
#include "persistence/wal.hpp"

#include <algorithm>

namespace caucus {

namespace {

using persistence::recovered_group;
using persistence::wal_recovery;

/// A group that was made anew more often than this is none that anybody backs up.
constexpr uint64_t generations_max = 1000;

uint64_t generation_of(group_id group, const std::string& name) {
  for (uint64_t generation = 1; generation <= generations_max; ++generation)
    if (hash_group(name, generation) == group)
      return generation;
  return 0;
}

std::string hex(uint64_t number) { return to_string(cluster_id{number}); }

result<void> check_empty(const wal_recovery& found, const std::string& path) {
  if (found.groups.empty() && found.tombstones.empty() && found.peers.empty() && !found.founding.id)
    return {};
  std::string groups;
  for (auto& x : found.groups)
    groups += (groups.empty() ? "" : ", ") + x.descriptor.name;
  return error{errc::already_exists,
               "directory " + path + " isn't empty, it has "
                 + (groups.empty() ? "a node's state" : "the group " + groups)
                 + ": start without --restore to go on with that, or restore into an empty "
                   "directory"};
}

/// The backup's content as this node keeps it: in the log, or a file in its directory.
result<persistence::kept_snapshot> copy(persistence::directory& dir,
                                        persistence::snapshot_reader& from,
                                        const persistence::snapshot_header& header) {
  spilling_sink into{dir, header};
  for (;;) {
    auto part = from.next();
    if (!part)
      return std::move(part).reason();
    if (part->empty())
      return into.finish();
    if (auto done = into.write(*part); !done)
      return std::move(done).reason();
  }
}

/// The members that the group has by the end of its log; null if it has never heard of any.
const membership::configuration* latest_members(const recovered_group& x) {
  const auto& last = x.configurations.empty() ? x.members() : *x.configurations.back().members;
  return last.voters.empty() ? nullptr : &last;
}

bool can_go_on(const recovered_group& x) { return !x.damaged && latest_members(x) != nullptr; }

result<void> check_forced(const wal_recovery& found, const node_options& options,
                          const std::string& path) {
  if (std::none_of(found.groups.begin(), found.groups.end(), can_go_on))
    return nothing_to_go_on_with(path);
  const auto alone = founding_members(options);
  const bool is_alone = std::all_of(found.groups.begin(), found.groups.end(), [&](const auto& x) {
    return !can_go_on(x)
           || (latest_members(x)->members() == alone.members()
               && x.descriptor.members.voters == alone.voters);
  });
  if (is_alone)
    return error{errc::already_exists,
                 "node " + std::to_string(options.id.value()) + " in " + path
                   + " is the only member already: start it without --force-new-cluster"};
  return {};
}

/// What makes the node the only member: behind all that it has, in a term that no other had a
/// leader in, as far as it knows.
raft::persist_batch make_alone(const recovered_group& x, const membership::configuration& alone) {
  auto last = std::make_shared<raft::entry>();
  const auto term = x.hard.term + 1;
  last->id = {x.last + 1, term};
  if (!x.tail.empty())
    last->wall_ns = x.tail.back()->wall_ns;
  else if (!x.snapshots.empty())
    last->wall_ns = x.snapshots.front().wall_ns;
  last->body.kind = raft::entry_kind::configuration;
  last->body.payload = shared_bytes::copy_of(membership::encode_payload(alone));
  raft::persist_batch batch;
  batch.hard = raft::hard_state{term, *alone.voters.begin(), x.hard.commit};
  batch.entries.push_back(std::move(last));
  return batch;
}

} // namespace

error nothing_to_go_on_with(const std::string& directory) {
  return {errc::not_found,
          "directory " + directory
            + " has no state that a new cluster could go on with: name the directory of a node "
              "that has, or start without --force-new-cluster (to found a cluster), with --restore "
              "(from a backup) or with --join"};
}

result<persistence::snapshot_reader> open_backup_of(const std::string& path,
                                                    const std::string& group) {
  auto opened = open_sound_backup(path);
  if (!opened && opened.reason().code == errc::malformed)
    return error{errc::malformed,
                 "--restore " + path + ": " + opened.reason().what + "; use another backup"};
  if (!opened)
    return error{opened.reason().code, "--restore: " + opened.reason().what};
  const auto& header = opened->header();
  const bool has_other_name = !header.group_name.empty() && header.group_name != group;
  if (has_other_name || generation_of(header.group, group) == 0)
    return error{errc::identity_mismatch,
                 "--restore " + path + ": it is a backup of the group "
                   + (has_other_name ? "'" + header.group_name + "'" : hex(header.group.value()))
                   + ", not of '" + group + "'"};
  return opened;
}

result<void> restore_backup(persistence::directory& dir, persistence::snapshot_reader& backup,
                            const node_options& options, const persistence::wal_options& how,
                            logger& log) {
  const auto cluster = hash_cluster_name(options.cluster);
  auto opened =
    persistence::wal::open(dir, {cluster, options.id}, how, {},
                           [&](const wal_recovery& x) { return check_empty(x, dir.path()); });
  if (!opened)
    return std::move(opened).reason();
  auto& into = *opened->log;
  const auto members = founding_members(options);
  const auto id = backup_identity(backup);
  auto header = backup.header();
  header.cluster = cluster;
  header.group_name = options.restore_group;
  const auto last = header.at.last;
  // As if the last entry had brought them: a configuration of its own, not one that the old members
  // had a number for.
  header.at.members = {last.index, std::make_shared<const membership::configuration>(members)};
  auto snapshot = copy(dir, backup, header);
  if (!snapshot)
    return std::move(snapshot).reason();
  const auto founding =
    membership::founded_by(members.voters, membership::founding_origin{id, "backup " + hex(id)});
  into.add(founding);
  into.add(
    persistence::group_descriptor{.group = header.group,
                                  .generation = generation_of(header.group, options.restore_group),
                                  .name = options.restore_group,
                                  .uid = replica_uid{opened->recovery.boot.value()},
                                  .members = members});
  into.add(header.group, persistence::snapshot_mark{*std::move(snapshot), {}});
  raft::persist_batch begin;
  begin.snapshot = last;
  begin.hard = raft::hard_state{last.term, {}, last.index};
  into.add(header.group, begin);
  if (auto done = into.commit(true); !done)
    return done;
  log.info("event=cluster_restored group=" + options.restore_group + " founders=\""
           + founding.members + "\" index=" + std::to_string(last.index.value())
           + " of_cluster=" + to_string(backup.header().cluster));
  return {};
}

result<void> force_new_cluster(persistence::directory& dir, const node_options& options,
                               const persistence::wal_options& how, logger& log) {
  auto opened = persistence::wal::open(
    dir, {hash_cluster_name(options.cluster), options.id}, how, {},
    [&](const wal_recovery& x) { return check_forced(x, options, dir.path()); });
  if (!opened)
    return std::move(opened).reason();
  auto& into = *opened->log;
  const auto& found = opened->recovery;
  const auto alone = founding_members(options);
  const auto boot = found.boot.value();
  const auto founding =
    membership::founded_by(alone.voters, {rng::mix(found.directory.value()) ^ rng::mix(boot),
                                          "its own state (start " + std::to_string(boot) + ")"});
  into.add(founding);
  // Nodes with these ids, wiped, may join the new cluster.
  for (const auto& peer : found.peers)
    into.add_forgotten(peer.node);
  for (const auto& group : found.groups) {
    if (!can_go_on(group)) {
      log.warning("event=group_not_forced group=" + group.descriptor.name + " reason=\""
                  + (group.damaged ? to_string(*group.damaged) : "nothing of it is here") + "\"");
      continue;
    }
    const auto batch = make_alone(group, alone);
    into.add_new_beginning(group.descriptor.group, alone);
    into.add(group.descriptor.group, batch);
    log.warning("event=cluster_forced group=" + group.descriptor.name + " founders=\""
                + founding.members + "\" last=" + std::to_string(group.last.value())
                + " known_committed=" + std::to_string(group.hard.commit.value()));
  }
  return into.commit(true);
}

} // namespace caucus
