#include "apps/wal/log_rescue.hpp"

#include "persistence/entries_codec.hpp"
#include "persistence/node_records.hpp"

#include <algorithm>

namespace caucus::wal_tool {

using namespace persistence;

namespace {

/// So many that the index makes a row of each record: between two of them there may be damage.
constexpr uint32_t row_of_its_own = uint32_t{64} << 10;

/// How far the log goes without a hole behind this entry.
index_t reach_from(const group_log& log, index_t begin) {
  auto reached = begin;
  for (const auto* row = log.find_row(begin + 1); row != nullptr; row = log.find_row(reached + 1))
    reached = row->last;
  return reached;
}

} // namespace

void log_rescue::on_problem(const log_problem& x) { problems_.push_back(x); }

void log_rescue::on_record(const surveyed_record& x) {
  if (!x.header.group)
    return x.is_sound ? take_node_record(x) : void();
  if (tombstones_.contains(x.header.group))
    return;
  if (x.header.kind == record_kind::group_deleted)
    return x.is_sound ? take_deleted(x) : void();
  auto& group = meet(x);
  if (group.log.uid() != x.header.uid)
    return;
  if (!x.is_sound) {
    ++group.damaged_records;
    return;
  }
  ++group.records;
  switch (x.header.kind) {
    case record_kind::entries:
    case record_kind::moved: return take_entries(group, x);
    case record_kind::truncation:
      return take_truncation(group, index_t{decode_numbers(x.body, 1)->front()});
    case record_kind::snapshot_mark:
    case record_kind::small_snapshot: return take_snapshot(group, x);
    case record_kind::checkpoint: return take_checkpoint(group, x);
    case record_kind::hard_state: group.hard = decode_hard_state(x.body); return;
    default: return;
  }
}

void log_rescue::take_node_record(const surveyed_record& x) {
  if (x.header.kind == record_kind::founding)
    founding_ = *decode_founding(x.body);
  else if (x.header.kind == record_kind::peer_forgotten)
    peers_.erase(node_id{decode_numbers(x.body, 1)->front()});
  else if (x.header.kind == record_kind::peer_identity) {
    const auto numbers = *decode_numbers(x.body, 2);
    peers_[node_id{numbers[0]}] = directory_id{numbers[1]};
  }
}

void log_rescue::take_deleted(const surveyed_record& x) {
  if (const auto found = groups_.find(x.header.group); found != groups_.end()) {
    found->second.log.clear(rows_);
    groups_.erase(found);
  }
  tombstones_[x.header.group] = *decode_group_tombstone(x.header.group, x.body);
}

log_rescue::group_state& log_rescue::meet(const surveyed_record& x) {
  const bool is_created = x.is_sound && x.header.kind == record_kind::group_created;
  auto found = groups_.find(x.header.group);
  if (found == groups_.end())
    found =
      groups_.emplace(x.header.group, group_state{{x.header.uid, is_created}, {}, {}, {}}).first;
  if (is_created)
    found->second.descriptor = decode_group_descriptor(x.header.group, x.header.uid, x.body);
  return found->second;
}

void log_rescue::take_entries(group_state& group, const surveyed_record& x) {
  entries_cursor cursor{x.body};
  log_changes changes;
  if (x.header.kind == record_kind::moved)
    changes.move(x.header.group, 0, row_of_its_own);
  else
    changes.append(x.header.group, 0, row_of_its_own);
  while (cursor.next())
    changes.extend(cursor.id());
  const auto& change = changes.items.front();
  const auto runs = changes.runs_of(change);
  if (x.header.kind == record_kind::moved) {
    if (group.log.agrees(change, runs))
      group.log.move(change, runs, x.at, rows_);
  } else if (change.first > group.log.begins_after().index) {
    if (group.log.would_leave_gap(change.first))
      group.log.end_at(change.first - 1); // What was there is lost.
    group.log.append(change, runs, x.at, rows_);
  }
}

void log_rescue::take_truncation(group_state& group, index_t from) {
  if (from > group.log.begins_after().index)
    group.log.truncate(from, rows_);
}

void log_rescue::take_snapshot(group_state& group, const surveyed_record& x) {
  const bool has_bytes = x.header.kind == record_kind::small_snapshot;
  const auto owner = std::make_shared<shared_bytes>(shared_bytes::copy_of(x.body));
  auto found = *decode_snapshot_record(owner->span(), has_bytes, owner);
  const auto begin = found.mark.begins_after.last;
  if (found.restarts)
    group.log.restart(begin, rows_);
  else
    group.log.compact(begin, rows_);
  const auto* known = find(group.snapshots, found.mark.snapshot.at.last);
  if (found.mark.snapshot.is_small && !has_bytes && known == nullptr)
    return; // Its bytes are lost.
  if (known != nullptr && !has_bytes)
    found.mark.snapshot.bytes = known->bytes;
  keep(group.snapshots, std::move(found.mark.snapshot), group.log.begins_after().index);
}

void log_rescue::take_checkpoint(group_state& group, const surveyed_record& x) {
  auto found = *decode_group_checkpoint(x.header.group, x.header.uid, x.body);
  group.descriptor = std::move(found.descriptor);
  group.hard = found.hard;
  group.log.compact(found.begins_after.last, rows_);
  group.log.end_at(std::max(found.last, group.log.last()));
  for (auto& snapshot : found.snapshots)
    if (!snapshot.is_small && find(group.snapshots, snapshot.at.last) == nullptr)
      keep(group.snapshots, std::move(snapshot), group.log.begins_after().index);
}

log_rescue::group_outcome log_rescue::outcome_of(const group_state& group) {
  group_outcome x;
  x.name = group.descriptor->name;
  x.damaged_records = group.damaged_records;
  // Of the places where a log can begin, that from which it leads furthest, or further back.
  if (!group.log.begins_after().index)
    x.kept = reach_from(group.log, {});
  for (const auto& snapshot : group.snapshots) {
    const auto begin = snapshot.at.last.index;
    const auto reached = reach_from(group.log, begin);
    if (reached > x.kept || (reached == x.kept && begin < x.begins_after)) {
      x.kept = reached;
      x.begins_after = begin;
    }
  }
  if (x.kept < group.log.last()) {
    x.lost_first = x.kept.value() + 1;
    x.lost_last = group.log.last().value();
  }
  return x;
}

std::map<group_id, log_rescue::group_outcome> log_rescue::groups() const {
  std::map<group_id, group_outcome> outcomes;
  for (const auto& [id, group] : groups_)
    if (group.descriptor)
      outcomes[id] = outcome_of(group);
  return outcomes;
}

uint64_t log_rescue::orphans() const {
  uint64_t count = 0;
  for (const auto& [id, group] : groups_)
    count += group.descriptor ? 0 : group.records;
  return count;
}

std::vector<snapshot_name> log_rescue::snapshot_files() const {
  std::vector<snapshot_name> files;
  for (const auto& [id, group] : groups_)
    for (const auto& snapshot : group.snapshots)
      if (group.descriptor && !snapshot.is_small)
        files.push_back({id, snapshot.at.last});
  return files;
}

result<void> log_rescue::write(directory& from, wal& into) const {
  if (founding_.id)
    into.add(founding_);
  for (const auto& [node, directory] : peers_)
    into.add(peer_identity{node, directory});
  for (const auto& [id, tombstone] : tombstones_) {
    group_descriptor gone{.group = id, .generation = tombstone.generation, .name = tombstone.name};
    gone.uid = replica_uid{1};
    into.add(gone); // A name's next generation must be greater.
    into.add_deleted(id);
  }
  for (const auto& [id, group] : groups_)
    if (group.descriptor)
      if (auto done = write_group(group, from, into); !done)
        return done;
  return into.commit(true);
}

result<void> log_rescue::write_group(const group_state& group, directory& from, wal& into) {
  const auto outcome = outcome_of(group);
  const auto id = group.descriptor->group;
  into.add(*group.descriptor);
  raft::persist_batch state;
  for (auto snapshot = group.snapshots.rbegin(); snapshot != group.snapshots.rend(); ++snapshot) {
    into.add(id, snapshot_mark{*snapshot, {}});
    if (snapshot->at.last.index == outcome.begins_after)
      state.snapshot = snapshot->at.last;
  }
  state.hard = group.hard;
  into.add(id, state);
  for (const auto& row : group.log.rows()) {
    if (row.last <= outcome.begins_after || row.first > outcome.kept)
      continue;
    auto content = from.open(segment_name(row.batch.segment));
    if (!content)
      return std::move(content).reason();
    std::vector<std::byte> bytes(record_header_bytes);
    if (auto done = (*content)->read_at(row.batch.offset, bytes); !done)
      return std::move(done).reason();
    const auto header = decode_record_header(bytes);
    bytes.resize(header ? header->bytes : 0);
    if (auto done = (*content)->read_at(row.batch.offset, bytes); !done)
      return std::move(done).reason();
    const auto owner = std::make_shared<std::vector<std::byte>>(std::move(bytes));
    entries_cursor cursor{std::span{*owner}.subspan(std::min(owner->size(), record_header_bytes))};
    raft::persist_batch batch;
    while (cursor.next())
      if (cursor.id().index >= std::max(row.first, outcome.begins_after + 1)
          && cursor.id().index <= row.last)
        batch.entries.push_back(cursor.make(owner));
    if (batch.entries.empty())
      return error{errc::wal_corrupt, segment_name(row.batch.segment) + " has changed meanwhile"};
    into.add(id, batch);
    if (auto done = into.commit(false); !done)
      return done;
  }
  return {};
}

} // namespace caucus::wal_tool
