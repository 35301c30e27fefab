// What the records of one group do to what is known of it.

#include "membership/configuration_codec.hpp"
#include "persistence/group_records.hpp"
#include "persistence/node_records.hpp"
#include "persistence/wal_replay.hpp"

#include <algorithm>

namespace caucus::persistence {

namespace {

std::string to_string(raft::entry_id x) {
  return std::to_string(x.index.value()) + " of term " + std::to_string(x.term.value());
}

} // namespace

result<void> wal_replay::apply_group_created(const located_record& record) {
  auto decoded = decode_group_descriptor(record.header.group, record.header.uid, record.body);
  if (!decoded)
    return at(record, errc::wal_corrupt, undecodable);
  const auto group = decoded->group;
  auto& created = groups_[group] = {};
  created.found.descriptor = *std::move(decoded);
  created.found.places.created = place_of(record);
  created.is_described = true;
  changes_.create(group, record.header.uid);
  index_->apply(changes_, place_);
  return {};
}

result<void> wal_replay::apply_group_deleted(const located_record& record) {
  auto decoded = decode_group_tombstone(record.header.group, record.body);
  if (!decoded)
    return at(record, errc::wal_corrupt, undecodable);
  const auto group = decoded->group;
  groups_.erase(group);
  changes_.erase(group);
  index_->apply(changes_, place_);
  tombstones_[group] = *std::move(decoded);
  return {};
}

result<void> wal_replay::apply_group_record(const located_record& record) {
  const auto group = record.header.group;
  auto* found = meet(record.header);
  if (found == nullptr && tombstones_.contains(group))
    return {}; // Written before its group's end was noticed (RELIABILITY W-13).
  if (found == nullptr)
    return at(record, errc::wal_corrupt,
              "it is of group " + std::to_string(group.value()) + ", which was never created");
  if (found->found.damaged) {
    // Of a group that can't run, it is only wanted what it is.
    if (record.header.kind == record_kind::checkpoint && !found->is_described)
      if (auto now = decode_group_checkpoint(group, record.header.uid, record.body)) {
        found->found.descriptor = std::move(now->descriptor);
        found->is_described = true;
      }
    return {};
  }
  if (auto reason = apply_to_group(*found, record))
    quarantine(*found, record, *reason);
  return {};
}

wal_replay::group_state* wal_replay::meet(const record_header& header) {
  if (const auto found = groups_.find(header.group); found != groups_.end())
    return &found->second;
  if (!is_front_missing_ || !header.group || tombstones_.contains(header.group))
    return nullptr;
  auto& met = groups_[header.group];
  met.found.descriptor.group = header.group;
  met.found.descriptor.uid = header.uid;
  met.met_at = place_;
  changes_.create(header.group, header.uid, false);
  index_->apply(changes_, place_);
  changes_.clear();
  return &met;
}

record_place wal_replay::place_of(const located_record& record) const {
  return {place_.segment, static_cast<uint32_t>(padded(record.header.bytes))};
}

recovered_tail::record_body wal_replay::body_of(const located_record& record) const {
  return {{place_.segment, place_.offset + record.offset + record_header_bytes},
          static_cast<uint32_t>(record.body.size()),
          record.header.body_crc};
}

std::optional<std::string> wal_replay::apply_to_group(group_state& group,
                                                      const located_record& record) {
  if (record.header.uid != group.found.descriptor.uid)
    return "it is of replica " + std::to_string(record.header.uid.value());
  switch (record.header.kind) {
    case record_kind::entries: return apply_entries(group, record);
    case record_kind::truncation: return apply_truncation(group, record);
    case record_kind::snapshot_mark:
    case record_kind::small_snapshot: return apply_snapshot(group, record);
    case record_kind::moved: return apply_moved(group, record);
    case record_kind::checkpoint: return apply_checkpoint(group, record);
    default: break;
  }
  const auto hard = decode_hard_state(record.body);
  if (!hard)
    return std::string{undecodable};
  group.found.hard = *hard;
  group.found.places.hard = place_of(record);
  return std::nullopt;
}

std::optional<std::string> wal_replay::apply_truncation(group_state& group,
                                                        const located_record& record) {
  const auto numbers = decode_numbers(record.body, 1);
  if (!numbers)
    return std::string{undecodable};
  const index_t from{numbers->front()};
  if (from <= group.found.begins_after.last.index)
    return "it drops entry " + std::to_string(from.value()) + " but the log begins after "
           + to_string(group.found.begins_after.last);
  changes_.truncate(record.header.group, from);
  index_->apply(changes_, place_);
  group.tail.truncate(from);
  forget_configurations(group, from);
  return std::nullopt;
}

std::optional<std::string> wal_replay::apply_entries(group_state& group,
                                                     const located_record& record) {
  entries_cursor cursor{record.body};
  const auto last = index_->entry_before(record.header.group, cursor.first());
  if (cursor.first() <= group.found.begins_after.last.index || cursor.count() == 0)
    return std::string{undecodable};
  if (cursor.first() > last.index + 1
      && index_->would_leave_gap(record.header.group, cursor.first()))
    return "it begins with entry " + std::to_string(cursor.first().value())
           + " but the log ends at " + std::to_string(last.index.value());
  changes_.append(record.header.group, record.offset, record.header.bytes);
  forget_configurations(group, cursor.first());
  auto term = last.term;
  while (cursor.next()) {
    if (cursor.id().term < term)
      return "its terms go backwards at entry " + std::to_string(cursor.id().index.value());
    term = cursor.id().term;
    changes_.extend(cursor.id());
    if (cursor.kind() == raft::entry_kind::configuration && !note_configuration(group, cursor))
      return "the configuration of entry " + std::to_string(cursor.id().index.value())
             + " doesn't decode";
  }
  if (!cursor.at_end())
    return std::string{undecodable};
  index_->apply(changes_, place_);
  group.tail.append(body_of(record), cursor.first(), cursor.id().index);
  shrink(group);
  return std::nullopt;
}

std::optional<std::string> wal_replay::apply_snapshot(group_state& group,
                                                      const located_record& record) {
  const auto id = record.header.group;
  const bool has_bytes = record.header.kind == record_kind::small_snapshot;
  const auto owner =
    has_bytes ? std::make_shared<shared_bytes>(shared_bytes::copy_of(record.body)) : nullptr;
  auto decoded = decode_snapshot_record(owner ? owner->span() : record.body, has_bytes, owner);
  if (!decoded)
    return std::string{undecodable};
  auto& [snapshot, begins_after] = decoded->mark;
  if (decoded->restarts)
    changes_.restart(id, begins_after.last);
  else if (auto reason = check_cut(group, begins_after.last))
    return reason;
  else
    changes_.compact(id, begins_after.last);
  if (has_bytes)
    changes_.keep_snapshot(id, snapshot.at.last.index, record.offset, record.header.bytes);
  else if (const auto* known = find(group.found.snapshots, snapshot.at.last))
    snapshot.bytes = known->bytes;
  cut(group, begins_after, decoded->restarts);
  snapshot.place = snapshot.is_small ? record_place{} : place_of(record);
  group.found.places.begin = place_of(record);
  group.found.places.begin.bytes = 0; // Counted for the snapshot.
  keep(group.found.snapshots, std::move(snapshot), group.found.begins_after.last.index);
  if (!group.found.snapshots.empty())
    changes_.drop_snapshots(id, group.found.snapshots.back().at.last.index);
  index_->apply(changes_, place_);
  return std::nullopt;
}

std::optional<std::string> wal_replay::apply_moved(group_state& group,
                                                   const located_record& record) {
  entries_cursor cursor{record.body};
  const auto begin = group.found.begins_after.last.index;
  auto& configurations = group.found.configurations;
  changes_.move(record.header.group, record.offset, record.header.bytes);
  term_t term;
  while (cursor.next()) {
    if (cursor.id().term < term)
      return "its terms go backwards at entry " + std::to_string(cursor.id().index.value());
    term = cursor.id().term;
    changes_.extend(cursor.id());
    const auto index = cursor.id().index;
    if (cursor.kind() != raft::entry_kind::configuration || index <= begin)
      continue;
    const auto after = std::find_if(configurations.begin(), configurations.end(),
                                    [&](const auto& x) { return x.id >= index; });
    if (after != configurations.end() && after->id == index)
      continue;
    const auto place = after - configurations.begin();
    if (!note_configuration(group, cursor))
      return "the configuration of entry " + std::to_string(index.value()) + " doesn't decode";
    std::rotate(configurations.begin() + place, configurations.end() - 1, configurations.end());
  }
  if (!cursor.first() || cursor.count() == 0 || !cursor.at_end())
    return std::string{undecodable};
  const auto& moved = changes_.items.back();
  if (!index_->agrees(moved, changes_.runs_of(moved)))
    return "its entries " + std::to_string(moved.first.value()) + " to "
           + std::to_string(moved.last.value()) + " aren't those that the log has there";
  index_->apply(changes_, place_);
  group.tail.fill(body_of(record), std::max(cursor.first(), begin + 1), cursor.id().index);
  shrink(group);
  return std::nullopt;
}

std::optional<std::string> wal_replay::apply_checkpoint(group_state& group,
                                                        const located_record& record) {
  const auto id = record.header.group;
  auto now = decode_group_checkpoint(id, record.header.uid, record.body);
  if (!now)
    return std::string{undecodable};
  if (auto reason = check_cut(group, now->begins_after.last))
    return reason;
  if (const auto log = index_->describe(id); log->last > now->last)
    return "it says that the log ends at entry " + std::to_string(now->last.value())
           + ", but there is " + std::to_string(log->last.value());
  changes_.compact(id, now->begins_after.last);
  changes_.end(id, now->last);
  cut(group, now->begins_after, false);
  for (auto& x : now->snapshots) {
    if (const auto* known = find(group.found.snapshots, x.at.last))
      x.bytes = known->bytes;
    x.place = {};
  }
  if (!now->snapshots.empty())
    changes_.drop_snapshots(id, now->snapshots.back().at.last.index);
  index_->apply(changes_, place_);
  group.found.descriptor = std::move(now->descriptor);
  group.found.hard = now->hard;
  group.found.snapshots = std::move(now->snapshots);
  group.found.places = {.created = place_of(record)};
  group.is_described = true;
  return std::nullopt;
}

std::optional<std::string> wal_replay::check_cut(const group_state& group,
                                                 raft::entry_id begins_after) const {
  if (begins_after.index <= group.found.begins_after.last.index)
    return std::nullopt;
  const auto id = group.found.descriptor.group;
  const auto known = index_->entry_before(id, begins_after.index + 1);
  if (index_->would_leave_gap(id, begins_after.index + 1)
      || (known.index == begins_after.index && known.term && known.term != begins_after.term))
    return "it says that the log begins after entry " + to_string(begins_after) + ", but there is "
           + to_string(known);
  return std::nullopt;
}

void wal_replay::cut(group_state& group, const raft::snapshot_boundary& begins_after,
                     bool restarts) {
  const auto index = begins_after.last.index;
  if (restarts) {
    group.tail = {};
    group.found.configurations.clear();
  } else if (index <= group.found.begins_after.last.index) {
    return;
  }
  group.tail.drop_upto(index);
  std::erase_if(group.found.configurations, [index](const auto& x) { return x.id <= index; });
  group.found.begins_after = begins_after;
}

bool wal_replay::note_configuration(group_state& group, const entries_cursor& at) {
  auto members = membership::decode_payload(at.payload());
  if (members)
    group.found.configurations.push_back(
      {at.id().index, std::make_shared<const membership::configuration>(*std::move(members))});
  return members.has_value();
}

void wal_replay::forget_configurations(group_state& group, index_t from) {
  std::erase_if(group.found.configurations, [from](const auto& x) { return x.id >= from; });
}

/// What makes a group unusable although each of its records is sound.
std::optional<std::string> wal_replay::find_gap(const recovered_group& found,
                                                const log_index::summary& log) const {
  const auto begin = found.begins_after.last;
  if (log.first_unknown)
    return "its log has no entry " + std::to_string(log.first_unknown.value())
           + " (it should go from " + std::to_string(begin.index.value() + 1) + " to "
           + std::to_string(log.last.value()) + ")";
  if (begin.index && found.snapshots.empty())
    return "its log begins after entry " + to_string(begin) + ", where no snapshot leads";
  for (const auto& x : found.snapshots)
    if (x.is_small && !index_->locate_snapshot(found.descriptor.group, x.at.last.index))
      return "its snapshot up to entry " + to_string(x.at.last) + " should be in the log and isn't";
  return std::nullopt;
}

} // namespace caucus::persistence
