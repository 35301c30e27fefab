#include "tests/unit/persistence/scripted_storage.hpp"

#include "persistence/segment_collector.hpp"

#include <algorithm>

namespace caucus::testing {

using namespace persistence;

namespace {

snapshot_header header_of(uint64_t group, const raft::snapshot_boundary& at) {
  auto x = header_at(at.last.index.value(), group, group);
  x.at = at;
  return x;
}

raft::snapshot_boundary boundary_at(raft::entry_id at) {
  return boundary(at.index.value(), at.term.value(), {1 + at.index.value() % 9});
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span{text});
}

} // namespace

void scripted_storage::run() {
  for (uint64_t group = 1; group <= 3; ++group)
    create(group);
  append(3, 3); // And nothing more: what stays behind is the collector's.
  snapshot_in_log(3);
  for (uint64_t round = 1; round <= 7; ++round) {
    append(1, 4);
    append(2, 2, false);
    append(1, 2, false);
    append(2, 3, false);
    append(1, 1, false);
    append(2, 2, true, 2);
    append(1, 3, false);
    vote(round % 3 + 1);
    if (round % 2 == 1)
      snapshot_to_file(1);
    else
      snapshot_in_log(1);
    remember_peer(round % 3, round);
    switch (round) {
      case 1:
        create(4);
        append(4, 3);
        break;
      case 2:
        append(4, 2);
        snapshot_to_file(4);
        reconfigure(1);
        break;
      case 3:
        snapshot_to_file(2);
        erase(4);
        break;
      case 4:
        append(2, 1, false);
        install(2);
        break;
      default:
        snapshot_to_file(2);
        create(5);
        append(5, 2);
        install(1);
    }
    if (round % 2 == 0) // Several segments at once.
      collect(12);
  }
  collect(12);
  snapshot_to_file(1);
}

void scripted_storage::go_on() {
  std::vector<uint64_t> groups;
  for (const auto& [group, log] : next().groups)
    groups.push_back(group);
  for (const auto group : groups) {
    const auto& log = next(group);
    const auto newest = log.snapshots.empty() ? 0 : log.snapshots.rbegin()->first;
    if (newest > log.last()) // The power failed while it was installed.
      restart_log(group, model_.id_of(group, newest));
    append(group, 1);
  }
  if (!groups.empty())
    snapshot_to_file(groups.front());
  create(model_.next_group);
  collect(3);
}

bool scripted_storage::start(const wal_options& options) {
  auto started = try_start(disk_, options);
  if (!started) {
    failure_ = started.reason();
    violation_ = "it does not start: " + to_string(failure_);
    return false;
  }
  node_ = *std::move(started);
  step([&] { return remove_unknown(); });
  violation_ = check();
  found_ = state_of(node_.found);
  model_.boot = node_.found.boot;
  model_.possible = {found_};
  return violation_.empty() && failure_.code == errc::none;
}

result<void> scripted_storage::remove_unknown() {
  const auto catalog = *snapshot_catalog::read(*node_.dir);
  if (auto done = remove_leftovers(*node_.dir, catalog); !done)
    return done;
  std::vector<snapshot_name> unknown;
  for (const auto& [group, names] : catalog.groups) {
    const auto known =
      std::find_if(node_.found.groups.begin(), node_.found.groups.end(),
                   [id = group](const auto& x) { return x.descriptor.group == id; });
    for (const auto& name : names)
      if (known == node_.found.groups.end() || find(known->snapshots, name.last) == nullptr)
        unknown.push_back(name);
  }
  return remove_snapshots(*node_.dir, unknown);
}

// -- steps ------------------------------------------------------------------------

result<void> scripted_storage::commit(bool must_sync) {
  auto done = node_.log->commit(must_sync);
  if (done && must_sync)
    model_.possible = {model_.possible.back()};
  return done;
}

void scripted_storage::create(uint64_t group) {
  step([&] {
    attempt();
    model_.next_group = std::max(model_.next_group, group + 1);
    node_.log->add(descriptor(group_id{group}, group));
    node_.log->add(group_id{group}, hard(1, 1, 0));
    next().groups[group].hard = {term_t{1}, node_id{1}, {}};
    return commit(true);
  });
}

void scripted_storage::erase(uint64_t group) {
  step([&] {
    attempt();
    node_.log->add_deleted(group_id{group});
    next().groups.erase(group);
    next().deleted.insert(group);
    return commit(true);
  });
  step([&]() -> step_result {
    const auto catalog = *snapshot_catalog::read(*node_.dir);
    return remove_snapshots(*node_.dir, catalog.of(group_id{group}));
  });
}

void scripted_storage::vote(uint64_t group) {
  step([&] {
    attempt();
    auto& state = next(group).hard;
    state = {term_t{++model_.term}, node_id{1 + model_.term % 3}, state.commit};
    node_.log->add(group_id{group},
                   hard(state.term.value(), state.voted_for.value(), state.commit.value()));
    return commit(true);
  });
}

/// `dropped`: so many of the last entries, which aren't committed, are overwritten.
void scripted_storage::append(uint64_t group, uint64_t count, bool must_sync, uint64_t dropped) {
  step([&] {
    attempt();
    auto& log = next(group);
    raft::persist_batch batch;
    if (dropped > 0) {
      batch.truncate_from = log.begins_after.index + 1 + (log.entries.size() - dropped);
      log.entries.resize(log.entries.size() - dropped);
      ++model_.term;
    }
    auto& committed = model_.committed[group];
    for (const auto& id : log.entries)
      committed[id.index.value()] = id.term.value();
    log.hard = {term_t{model_.term}, node_id{1}, index_t{log.last()}};
    batch.hard = log.hard;
    for (; count > 0; --count) {
      const raft::entry_id id{index_t{log.last() + 1}, term_t{model_.term}};
      batch.entries.push_back(
        make_entry(id.index.value(), id.term.value(), script_model::payload(group, id)));
      log.entries.push_back(id);
    }
    node_.log->add(group_id{group}, batch);
    return commit(must_sync);
  });
}

void scripted_storage::reconfigure(uint64_t group) {
  step([&] {
    attempt();
    auto& log = next(group);
    const auto index = log.last() + 1;
    raft::persist_batch batch;
    batch.entries.push_back(configuration_entry(index, model_.term, {7}));
    log.entries.push_back(batch.entries.front()->id);
    log.configurations[index] = 7;
    node_.log->add(group_id{group}, batch);
    return commit(true);
  });
}

void scripted_storage::remember_peer(uint64_t node, uint64_t directory) {
  step([&] {
    attempt();
    if (node == 0) {
      node_.log->add_forgotten(node_id{1});
      next().peers.erase(1);
    } else {
      node_.log->add(peer_identity{node_id{node}, directory_id{directory}});
      next().peers[node] = directory;
    }
    return commit(false);
  });
}

result<void> scripted_storage::write_file(directory& dir, uint64_t group, raft::entry_id at) {
  const auto content = model_.machine(group, at.index.value());
  auto made = try_write(dir, header_of(group, boundary_at(at)), bytes_of(content), 200);
  return made ? result<void>{} : result<void>{std::move(made).reason()};
}

/// All that is committed, if that is more than the snapshots have.
std::optional<raft::entry_id> scripted_storage::worth_a_snapshot(uint64_t group) const {
  if (failure_.code != errc::none)
    return std::nullopt;
  const auto& log = model_.possible.back().groups.at(group);
  const auto index = log.hard.commit.value();
  if (index <= log.begins_after.index.value() || log.snapshots.contains(index))
    return std::nullopt;
  return log.at(index);
}

void scripted_storage::snapshot_to_file(uint64_t group) {
  const auto at = worth_a_snapshot(group);
  if (!at)
    return;
  step([&] { return write_file(*node_.dir, group, *at); });
  step([&] { return mark_snapshot(group, mark(boundary_at(*at))); });
}

void scripted_storage::snapshot_in_log(uint64_t group) {
  if (const auto at = worth_a_snapshot(group))
    step([&] {
      const auto content = model_.machine(group, at->index.value());
      return mark_snapshot(group, small_mark(boundary_at(*at), content));
    });
}

/// As a replica does it: the log stays back to the snapshot before, files that aren't kept go once
/// the log says so durably.
result<void> scripted_storage::mark_snapshot(uint64_t group, snapshot_mark mark) {
  attempt();
  auto& log = next(group);
  const auto kept_before = log.snapshots;
  const auto newest = kept_before.empty() ? 0 : kept_before.rbegin()->first;
  if (newest > log.begins_after.index.value())
    mark.begins_after = boundary_at(log.at(newest));
  node_.log->add(group_id{group}, mark);
  const auto& x = mark.snapshot;
  log.snapshots[x.at.last.index.value()] = x.is_small ? std::string{x.bytes.view()} : "file";
  if (mark.begins_after.last.index)
    log.begin_after(mark.begins_after.last);
  if (auto done = commit(true); !done)
    return done;
  return forget_files(group, kept_before);
}

result<void> scripted_storage::forget_files(uint64_t group,
                                            const std::map<uint64_t, std::string>& kept_before) {
  std::vector<snapshot_name> old;
  for (const auto& [index, content] : kept_before)
    if (content == "file" && !next(group).snapshots.contains(index))
      old.push_back({group_id{group}, model_.id_of(group, index)});
  return remove_snapshots(*node_.dir, old);
}

/// A snapshot of another node, ahead of the log here, comes in pieces.
void scripted_storage::install(uint64_t group) {
  if (failure_.code != errc::none)
    return;
  const auto& log = next(group);
  const raft::entry_id at{index_t{log.last() + 3}, term_t{model_.term}};
  auto& committed = model_.committed[group];
  for (const auto& id : log.entries)
    committed[id.index.value()] = id.term.value();
  for (auto index = log.last() + 1; index <= at.index.value(); ++index)
    committed[index] = at.term.value();
  step([&]() -> step_result {
    const auto header = header_of(group, boundary_at(at));
    return receive(*node_.dir, header, bytes_of(model_.machine(group, at.index.value())), 250);
  });
  step([&] {
    attempt();
    node_.log->add(group_id{group}, mark(boundary_at(at)));
    auto& snapshots = next(group).snapshots;
    snapshots[at.index.value()] = "file";
    while (snapshots.size() > snapshots_kept)
      snapshots.erase(snapshots.begin());
    return commit(false);
  });
  restart_log(group, at);
}

/// The log goes on behind a snapshot that it doesn't reach, and nothing else is needed any more.
void scripted_storage::restart_log(uint64_t group, raft::entry_id at) {
  if (failure_.code != errc::none)
    return;
  const auto kept_before = next(group).snapshots;
  step([&] {
    attempt();
    raft::persist_batch batch;
    batch.snapshot = at;
    batch.hard = raft::hard_state{at.term, {}, at.index};
    node_.log->add(group_id{group}, batch);
    auto& log = next(group);
    log.entries.clear();
    log.configurations.clear();
    log.begin_after(at);
    log.hard = *batch.hard;
    return commit(true);
  });
  step([&] { return forget_files(group, kept_before); });
}

void scripted_storage::collect(int steps) {
  if (failure_.code != errc::none)
    return;
  segment_collector collector{node_.log->reader()};
  for (; steps > 0; --steps)
    step([&]() -> step_result {
      const auto oldest = node_.log->oldest_segment();
      if (const auto asked = node_.log->retire_oldest(); !asked) // Too early, as a rule.
        return asked.reason();
      const auto done = collect_step(*node_.log, collector, 4 << 10);
      if (!done)
        return done.reason();
      if (*done == collected::durable)
        model_.possible = {model_.possible.back()};
      removed_ += node_.log->oldest_segment() - oldest;
      return {};
    });
}

} // namespace caucus::testing
