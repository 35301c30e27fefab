#include "persistence/log_index.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace caucus::persistence {

void log_index::apply(const log_changes& changes, log_position batch) {
  const std::lock_guard guard{mutex_};
  for (const auto& change : changes.items) {
    const auto found = groups_.find(change.group);
    const bool is_new =
      change.kind == log_change::kind::create || change.kind == log_change::kind::find;
    if (is_new || change.kind == log_change::kind::erase) {
      if (found != groups_.end()) {
        found->second.clear(live_);
        groups_.erase(found);
      }
      if (is_new)
        groups_.emplace(change.group,
                        group_log{change.uid, change.kind == log_change::kind::create});
      continue;
    }
    CAUCUS_ASSERT(found != groups_.end());
    apply(found->second, change, changes.runs_of(change), batch);
  }
}

void log_index::apply(group_log& log, const log_change& change,
                      std::span<const raft::term_run> runs, log_position batch) {
  switch (change.kind) {
    case log_change::kind::append: return log.append(change, runs, batch, live_);
    case log_change::kind::truncate: return log.truncate(change.first, live_);
    case log_change::kind::compact: return log.compact({change.first, change.term}, live_);
    case log_change::kind::restart: return log.restart({change.first, change.term}, live_);
    case log_change::kind::move: return log.move(change, runs, batch, live_);
    case log_change::kind::end: return log.end_at(change.first);
    case log_change::kind::keep_snapshot: return log.keep_snapshot(change, batch, live_);
    case log_change::kind::drop_snapshots: return log.drop_snapshots(change.first, live_);
    default: return;
  }
}

const group_log* log_index::find(group_id group) const {
  const auto found = groups_.find(group);
  return found == groups_.end() ? nullptr : &found->second;
}

result<log_index::located> log_index::locate(group_id group, index_t index) const {
  const std::lock_guard guard{mutex_};
  const auto* log = find(group);
  if (log == nullptr)
    return error{errc::no_such_group, "the log has no group " + std::to_string(group.value())};
  const auto* row = log->find_row(index);
  if (row == nullptr)
    return error{errc::not_found, "the log has no entry " + std::to_string(index.value())
                                    + " of group " + std::to_string(group.value())};
  return located{log->uid(),   row->first,    row->last,   row->batch,
                 row->records, row->is_moved, log->drops()};
}

result<log_index::located> log_index::locate_snapshot(group_id group, index_t index) const {
  const std::lock_guard guard{mutex_};
  if (const auto* log = find(group))
    for (const auto& x : log->small_snapshots())
      if (x.index == index)
        return located{log->uid(),
                       index,
                       index,
                       x.batch,
                       record_places_in_segment{x.batch.offset + x.record},
                       false,
                       log->drops()};
  return error{errc::not_found, "the log has no small snapshot at " + std::to_string(index.value())
                                  + " of group " + std::to_string(group.value())};
}

size_t log_index::count_current(group_id group, replica_uid uid,
                                const std::vector<raft::entry_ptr>& entries) const {
  const std::lock_guard guard{mutex_};
  const auto* log = find(group);
  if (log == nullptr || log->uid() != uid)
    return 0;
  size_t count = 0;
  // One index and term is one entry (Log Matching, thesis §3.5), so this is enough.
  while (count < entries.size() && entries[count]->id.index > log->begins_after().index
         && log->term_at(entries[count]->id.index) == entries[count]->id.term)
    ++count;
  return count;
}

uint64_t log_index::drops(group_id group) const {
  const std::lock_guard guard{mutex_};
  const auto* log = find(group);
  return log == nullptr ? 0 : log->drops();
}

std::optional<log_index::summary> log_index::describe(group_id group) const {
  const std::lock_guard guard{mutex_};
  const auto* log = find(group);
  if (log == nullptr)
    return std::nullopt;
  return summary{log->uid(),
                 log->begins_after(),
                 log->last(),
                 log->first_unknown(),
                 {log->runs().begin(), log->runs().end()},
                 log->rows().size()};
}

raft::entry_id log_index::entry_before(group_id group, index_t first) const {
  const std::lock_guard guard{mutex_};
  const auto* log = find(group);
  return log == nullptr ? raft::entry_id{} : log->entry_before(first);
}

bool log_index::would_leave_gap(group_id group, index_t first) const {
  const std::lock_guard guard{mutex_};
  const auto* log = find(group);
  return log == nullptr || log->would_leave_gap(first);
}

bool log_index::agrees(const log_change& moved, std::span<const raft::term_run> runs) const {
  const std::lock_guard guard{mutex_};
  const auto* log = find(moved.group);
  return log != nullptr && log->agrees(moved, runs);
}

segment_rows::use log_index::use_of(uint64_t segment) const {
  const std::lock_guard guard{mutex_};
  return live_.of(segment);
}

std::vector<log_index::stretch> log_index::live_in(uint64_t segment) const {
  const std::lock_guard guard{mutex_};
  std::vector<stretch> found;
  if (live_.of(segment).rows == 0)
    return found;
  for (const auto& [id, log] : groups_) {
    for (const auto& x : log.small_snapshots())
      if (x.batch.segment == segment)
        found.push_back({id, log.uid(), x.index, x.index, x.bytes, true});
    for (const auto& x : log.rows())
      if (x.batch.segment == segment)
        found.push_back({id, log.uid(), x.first, x.last, x.bytes, false});
  }
  return found;
}

std::vector<log_index::stretch> log_index::live_in(uint64_t segment, group_id group, index_t first,
                                                   index_t last) const {
  const std::lock_guard guard{mutex_};
  std::vector<stretch> found;
  const auto* log = find(group);
  if (log == nullptr)
    return found;
  for (const auto* row = log->find_row(first); row != nullptr && row->first <= last;
       row = log->find_row(row->last + 1))
    if (row->batch.segment == segment)
      found.push_back({group, log->uid(), std::max(row->first, first), std::min(row->last, last),
                       row->bytes, false});
  return found;
}

void log_index::forget_upto(uint64_t segment) {
  const std::lock_guard guard{mutex_};
  live_.forget_upto(segment);
}

} // namespace caucus::persistence
