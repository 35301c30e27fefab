#include "persistence/log_index.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace caucus::persistence {

namespace {

// A new row after this much, of the group's own entries or of the log around them.
constexpr uint64_t row_bytes_max = uint64_t{64} << 10;
constexpr uint64_t row_span_max = uint64_t{4} << 20;

/// The last element of an ascending sequence whose `first` is not after `index`.
template <class Elements>
auto find_covering(Elements& elements, index_t index) {
  auto after = std::upper_bound(elements.begin(), elements.end(), index,
                                [](index_t x, const auto& element) { return x < element.first; });
  return after == elements.begin() ? elements.end() : std::prev(after);
}

} // namespace

void log_index::apply(const log_changes& changes, log_position batch) {
  const std::lock_guard guard{mutex_};
  for (const auto& change : changes.items) {
    if (change.kind == log_change::kind::create) {
      auto& log = groups_[change.group];
      log = {};
      log.uid = change.uid;
      continue;
    }
    if (change.kind == log_change::kind::erase) {
      groups_.erase(change.group);
      continue;
    }
    const auto found = groups_.find(change.group);
    CAUCUS_ASSERT(found != groups_.end());
    if (change.kind == log_change::kind::truncate)
      truncate(found->second, change.first);
    else
      append(found->second, change,
             std::span{changes.runs}.subspan(change.runs_begin, change.runs_count), batch);
  }
}

void log_index::append(group_log& log, const log_change& change,
                       std::span<const raft::term_run> runs, log_position batch) {
  if (change.first <= log.last)
    truncate(log, change.first);
  CAUCUS_ASSERT(change.first == log.last + 1); // A hole would stay one for ever.
  for (const auto& run : runs)
    if (log.runs.empty() || log.runs.back().term != run.term)
      log.runs.push_back(run);
  const bool is_covered = !log.rows.empty() && log.row_bytes < row_bytes_max
                          && log.rows.back().batch.segment == batch.segment
                          && batch.offset - log.rows.back().batch.offset < row_span_max;
  if (!is_covered) {
    log.rows.push_back({change.first, change.record, batch});
    log.row_bytes = 0;
  }
  log.row_bytes += change.bytes;
  log.last = change.last;
}

void log_index::truncate(group_log& log, index_t from) {
  if (from > log.last)
    return;
  while (!log.rows.empty() && log.rows.back().first >= from)
    log.rows.pop_back();
  while (!log.runs.empty() && log.runs.back().first >= from)
    log.runs.pop_back();
  // The next append begins a row: inside one, a scan must meet every index once.
  log.row_bytes = row_bytes_max;
  log.last = from - 1;
  ++log.truncations;
}

result<log_index::located> log_index::locate(group_id group, index_t index) const {
  const std::lock_guard guard{mutex_};
  const auto found = groups_.find(group);
  if (found == groups_.end())
    return error{errc::no_such_group, "the log has no group " + std::to_string(group.value())};
  const auto& log = found->second;
  const auto covering = find_covering(log.rows, index);
  if (covering == log.rows.end() || index > log.last)
    return error{errc::not_found, "the log has no entry " + std::to_string(index.value())
                                    + " of group " + std::to_string(group.value())};
  const auto next = std::next(covering);
  const auto last = next == log.rows.end() ? log.last : next->first - 1;
  return located{log.uid,         covering->first,  last,
                 covering->batch, covering->record, log.truncations};
}

size_t log_index::count_current(group_id group, replica_uid uid,
                                const std::vector<raft::entry_ptr>& entries) const {
  const std::lock_guard guard{mutex_};
  const auto found = groups_.find(group);
  if (found == groups_.end() || found->second.uid != uid)
    return 0;
  const auto& log = found->second;
  size_t count = 0;
  for (; count < entries.size(); ++count) {
    const auto id = entries[count]->id;
    const auto run = find_covering(log.runs, id.index);
    // One index and term is one entry (Log Matching, thesis §3.5), so this is enough.
    if (id.index > log.last || run == log.runs.end() || run->term != id.term)
      break;
  }
  return count;
}

uint64_t log_index::truncations(group_id group) const {
  const std::lock_guard guard{mutex_};
  const auto found = groups_.find(group);
  return found == groups_.end() ? 0 : found->second.truncations;
}

std::optional<log_index::summary> log_index::describe(group_id group) const {
  const std::lock_guard guard{mutex_};
  const auto found = groups_.find(group);
  if (found == groups_.end())
    return std::nullopt;
  const auto& log = found->second;
  return summary{log.uid, log.last, log.runs, log.rows.size()};
}

raft::entry_id log_index::entry_before(group_id group, index_t first) const {
  const std::lock_guard guard{mutex_};
  const auto found = groups_.find(group);
  if (found == groups_.end() || !first)
    return {};
  const auto& log = found->second;
  const auto index = std::min(log.last, first - 1);
  const auto run = find_covering(log.runs, index);
  if (!index || run == log.runs.end())
    return {};
  return {index, run->term};
}

} // namespace caucus::persistence
