// Segments at the front of the log go once nothing in them is needed; what is, is written again at
// its end. Only what is current when it is staged is written, so that a record of moved entries is
// a true statement about its group's log at its place in the order of records (docs/wal_format.md,
// section 9).

#include "base/assert.hpp"
#include "persistence/group_records.hpp"
#include "persistence/node_records.hpp"
#include "persistence/wal_state.hpp"

#include <algorithm>

namespace caucus::persistence {

bool wal::state::known_group::needs(uint64_t segment) const {
  const auto lies_there = [segment](record_place x) {
    return x.segment != 0 && x.segment <= segment;
  };
  return lies_there(places.created) || lies_there(places.hard) || lies_there(places.begin)
         || std::any_of(snapshots.begin(), snapshots.end(),
                        [&](const auto& x) { return lies_there(x.place); });
}

log_usage wal::usage() const {
  const auto& st = *state_;
  log_usage x;
  for (const auto& segment : st.usage.segments())
    x.segments.push_back({segment.sequence, segment.file_bytes,
                          segment.bytes + st.index->use_of(segment.sequence).bytes});
  x.pinned_by.assign(st.damaged.begin(), st.damaged.end());
  return x;
}

std::vector<log_usage::holder> wal::holders_of_oldest() const {
  std::vector<log_usage::holder> holders;
  for (const auto& x : state_->index->live_in(state_->usage.oldest())) {
    if (holders.empty() || holders.back().group != x.group)
      holders.push_back({.group = x.group});
    holders.back().bytes += x.bytes;
    holders.back().last = std::max(holders.back().last, x.last);
  }
  std::sort(holders.begin(), holders.end(),
            [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
  return holders;
}

uint64_t wal::oldest_segment() const noexcept { return state_->usage.oldest(); }

bool wal::can_collect() const noexcept {
  return state_->damaged.empty() && state_->usage.oldest() != state_->usage.newest();
}

void wal::carry(const carried& x) {
  auto& st = *state_;
  CAUCUS_ASSERT(st.under_way.empty()); // Of which the index doesn't know yet.
  const auto found = st.groups.find(x.group);
  if (found == st.groups.end() || found->second.is_damaged || found->second.descriptor.uid != x.uid
      || x.segment >= st.usage.newest())
    return;
  if (x.snapshot)
    st.carry_snapshot(found->second, *x.snapshot, x.segment);
  if (x.entries.empty())
    return;
  // What was read may begin before the log does now.
  const auto begin = found->second.begins_after.last.index + 1;
  const auto first = std::max(begin, x.entries.front()->id.index);
  for (const auto& there : st.index->live_in(x.segment, x.group, first, x.entries.back()->id.index))
    st.carry_entries(found->second, there, x.entries);
}

void wal::state::carry_entries(known_group& known, const log_index::stretch& there,
                               const std::vector<raft::entry_ptr>& read) {
  auto end = there.last + 1;
  // The index doesn't know yet what is staged: from here on it is something else.
  if (known.staged_in == last_batch + 1)
    end = std::min(end, known.staged_from);
  if (there.first >= end)
    return;
  const auto begin = read.begin() + static_cast<ptrdiff_t>(there.first - read.front()->id.index);
  std::vector<raft::entry_ptr> current(begin, begin + static_cast<ptrdiff_t>(end - there.first));
  current.resize(index->count_current(known.descriptor.group, known.descriptor.uid, current));
  stage_entries(known, current, record_kind::moved);
}

void wal::state::carry_snapshot(known_group& known, const kept_snapshot& read, uint64_t segment) {
  const auto id = known.descriptor.group;
  const auto* kept = find(known.snapshots, read.at.last);
  const auto there = index->locate_snapshot(id, read.at.last.index);
  if (kept == nullptr || !kept->is_small || !there || there->batch.segment != segment)
    return;
  const auto begin = buffer.bytes();
  const auto record = buffer.add(record_kind::small_snapshot, id, known.descriptor.uid,
                                 encode_body(snapshot_record{.mark = {read, known.begins_after}}));
  changes.keep_snapshot(id, read.at.last.index, record,
                        static_cast<uint32_t>(buffer.bytes() - begin));
}

bool wal::carry_metadata(size_t bytes_max) {
  auto& st = *state_;
  const auto oldest = st.usage.oldest();
  if (!can_collect())
    return false;
  st.begin_collection(oldest);
  auto& todo = st.collection;
  const auto begin = st.buffer.bytes();
  const auto is_full = [&] { return st.buffer.bytes() - begin >= bytes_max; };
  for (; !todo.groups.empty() && !is_full(); todo.groups.pop_back())
    if (const auto found = st.groups.find(todo.groups.back());
        found != st.groups.end() && found->second.needs(oldest))
      st.stage_checkpoint(found->second);
  for (; !todo.tombstones.empty() && !is_full(); todo.tombstones.pop_back())
    st.stage(group_tombstone{st.deleted.at(todo.tombstones.back())}, {});
  if (!todo.groups.empty() || !todo.tombstones.empty())
    return true;
  if (todo.carries_node) {
    for (const auto& [node, directory] : st.peers)
      st.stage(peer_identity{node, directory});
    if (st.founding.id)
      st.stage(st.founding);
    // All of the node's records are written at once, as they are few: one place tells of them.
    st.usage.replace(st.node_place, {todo.since, st.node_place.bytes});
    todo.carries_node = false;
  }
  return false;
}

void wal::state::begin_collection(uint64_t segment) {
  if (collection.segment == segment)
    return;
  collection = {
    .segment = segment, .since = usage.newest(), .carries_node = node_place.segment == segment};
  for (const auto& [id, group] : groups)
    if (group.needs(segment))
      collection.groups.push_back(id);
  if (collection.carries_node)
    for (const auto& [id, tombstone] : deleted)
      collection.tombstones.push_back(id);
}

void wal::state::stage_checkpoint(known_group& known) {
  group_checkpoint now{known.descriptor, known.hard, known.last, known.begins_after,
                       known.snapshots};
  const auto begin = buffer.bytes();
  buffer.add(record_kind::checkpoint, known.descriptor.group, known.descriptor.uid,
             encode_body(now));
  const auto place = place_of(buffer.bytes() - begin);
  usage.replace(known.places.created, place);
  usage.drop(known.places.hard);
  usage.drop(known.places.begin);
  for (auto& x : known.snapshots)
    usage.drop(x.place); // Named by the checkpoint.
}

void wal::add_new_beginning(group_id group, const membership::configuration& members) {
  auto* known = state_->writable(group);
  CAUCUS_ASSERT(known != nullptr);
  known->descriptor.members = members;
  state_->stage_checkpoint(*known);
}

bool wal::state::is_needed(const segment_usage::segment& x) const {
  return x.records != 0 || x.sequence == usage.newest() || index->use_of(x.sequence).rows != 0;
}

result<wal::retirement> wal::retire_oldest() {
  auto& st = *state_;
  if (st.fenced)
    return *st.fenced;
  CAUCUS_ASSERT(st.under_way.empty());
  if (!st.damaged.empty())
    return retirement::nothing;
  const auto oldest = st.usage.oldest();
  if (oldest < st.needed_from && st.durable_upto >= st.needed_in) {
    if (auto done = st.remove_segment(oldest); !done)
      return std::move(done).reason();
    return retirement::removed;
  }
  auto needed = oldest;
  for (const auto& x : st.usage.segments()) {
    if (st.is_needed(x))
      break;
    needed = x.sequence + 1;
  }
  if (needed > st.needed_from) {
    st.buffer.add(record_kind::checkpoint, {}, {}, {needed});
    st.needed_from = needed;
    st.needed_in = st.last_batch + 1;
  }
  return oldest < st.needed_from ? retirement::waiting : retirement::nothing;
}

std::unique_ptr<file> wal::take_removed() { return std::move(state_->removed); }

result<void> wal::state::unlink(const std::string& name) {
  auto kept_open = files.open(name);
  auto gone = files.remove(name);
  if (!gone && gone.reason().code != errc::not_found)
    return gone;
  removed = kept_open ? *std::move(kept_open) : nullptr;
  return {};
}

result<void> wal::state::remove_segment(uint64_t sequence) {
  const auto name = segment_name(sequence);
  const auto spare_name = unfinished_segment_name(sequence);
  const bool is_spare =
    writer.wants_spare(usage.segments().front().file_bytes) && files.rename(name, spare_name).ok();
  if (!is_spare)
    if (auto done = unlink(name); !done)
      return done; // Nothing depends on it: it may be tried again.
  // One at a time: after a crash the names that are left have no gap. And before a spare is written
  // over: it must not come back under its old name then.
  if (auto done = files.sync(); !done)
    return fence(std::move(done).reason());
  usage.remove_oldest();
  index->forget_upto(sequence);
  reader->forget_upto(sequence);
  if (is_spare && !reader->holds(sequence))
    writer.keep_spare(sequence);
  else if (is_spare) // Somebody reads it. If it fails, a start removes it.
    static_cast<void>(unlink(spare_name));
  return {};
}

} // namespace caucus::persistence
