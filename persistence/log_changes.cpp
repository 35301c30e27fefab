#include "persistence/log_changes.hpp"

#include "base/assert.hpp"

namespace caucus::persistence {

log_change& log_changes::add(enum log_change::kind kind, group_id group) {
  auto& added = items.emplace_back();
  added.kind = kind;
  added.group = group;
  return added;
}

void log_changes::create(group_id group, replica_uid uid, bool is_whole) {
  add(is_whole ? log_change::kind::create : log_change::kind::find, group).uid = uid;
}

void log_changes::erase(group_id group) { add(log_change::kind::erase, group); }

void log_changes::truncate(group_id group, index_t from) {
  add(log_change::kind::truncate, group).first = from;
}

void log_changes::compact(group_id group, raft::entry_id upto) {
  auto& added = add(log_change::kind::compact, group);
  added.first = upto.index;
  added.term = upto.term;
}

void log_changes::restart(group_id group, raft::entry_id after) {
  auto& added = add(log_change::kind::restart, group);
  added.first = after.index;
  added.term = after.term;
}

void log_changes::end(group_id group, index_t last) {
  add(log_change::kind::end, group).first = last;
}

void log_changes::keep_snapshot(group_id group, index_t index, uint32_t record, uint32_t bytes) {
  auto& added = add(log_change::kind::keep_snapshot, group);
  added.first = index;
  added.record = record;
  added.bytes = bytes;
}

void log_changes::drop_snapshots(group_id group, index_t below) {
  add(log_change::kind::drop_snapshots, group).first = below;
}

void log_changes::append(group_id group, uint32_t record, uint32_t bytes) {
  auto& added = add(log_change::kind::append, group);
  added.record = record;
  added.bytes = bytes;
  added.runs_begin = static_cast<uint32_t>(runs.size());
}

void log_changes::move(group_id group, uint32_t record, uint32_t bytes) {
  append(group, record, bytes);
  items.back().kind = log_change::kind::move;
}

void log_changes::extend(raft::entry_id id) {
  CAUCUS_ASSERT(!items.empty());
  auto& open = items.back();
  if (!open.first)
    open.first = id.index;
  open.last = id.index;
  if (open.runs_count == 0 || runs.back().term != id.term) {
    runs.push_back({id.index, id.term});
    ++open.runs_count;
  }
}

} // namespace caucus::persistence
