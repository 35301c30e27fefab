#include "apps/wal/live_bytes.hpp"

#include "persistence/entries_codec.hpp"
#include "persistence/group_records.hpp"
#include "persistence/node_records.hpp"

namespace caucus::wal_tool {

using namespace persistence;

void live_bytes::on_segment(const surveyed_segment& x) { segments_[x.sequence].segment = x; }

void live_bytes::on_batch(log_position at, const batch_header& x) {
  auto& segment = segments_[at.segment];
  ++segment.batches;
  segment.records += x.records;
}

void live_bytes::on_segment_end(const surveyed_segment& x, uint64_t bytes) {
  segments_[x.sequence].used_bytes = bytes;
}

void live_bytes::on_problem(const log_problem& x) {
  problems_.push_back(x);
  if (const auto sequence = parse_segment_name(x.file))
    if (const auto found = segments_.find(*sequence); found != segments_.end())
      ++found->second.problems;
}

void live_bytes::on_record(const surveyed_record& x) {
  if (!x.header.group)
    return;
  auto& log = groups_[x.header.group];
  ++log.records;
  if (!x.is_sound)
    return;
  switch (x.header.kind) {
    case record_kind::entries:
    case record_kind::moved: return add_entries(log, x);
    case record_kind::checkpoint: return take_checkpoint(log, x);
    case record_kind::truncation: return truncate(log, index_t{decode_numbers(x.body, 1)->front()});
    case record_kind::snapshot_mark:
    case record_kind::small_snapshot: return take_snapshot(log, x);
    case record_kind::group_created:
    case record_kind::group_deleted: log = {}; return;
    default: return;
  }
}

void live_bytes::add_entries(group_log& log, const surveyed_record& x) {
  entries_cursor cursor{x.body};
  if (x.header.kind == record_kind::entries)
    truncate(log, cursor.first());
  while (cursor.next()) {
    const auto index = cursor.id().index;
    if (index < log.first)
      continue;
    if (index - log.first >= log.entries.size())
      log.entries.resize(index - log.first + 1, {0, 0});
    log.entries[index - log.first] = {
      static_cast<uint32_t>(entry_header_bytes + cursor.payload().size()),
      static_cast<uint32_t>(x.at.segment)};
  }
}

void live_bytes::take_checkpoint(group_log& log, const surveyed_record& x) {
  const auto found = *decode_group_checkpoint(x.header.group, x.header.uid, x.body);
  cut(log, found.begins_after.last.index);
}

void live_bytes::cut(group_log& log, index_t begins_after) {
  const auto first = begins_after + 1;
  if (first <= log.first)
    return;
  const auto dropped = std::min<uint64_t>(first - log.first, log.entries.size());
  log.entries.erase(log.entries.begin(), log.entries.begin() + static_cast<ptrdiff_t>(dropped));
  log.first = first;
}

void live_bytes::take_snapshot(group_log& log, const surveyed_record& x) {
  const bool has_bytes = x.header.kind == record_kind::small_snapshot;
  const auto found = *decode_snapshot_record(x.body, has_bytes, nullptr);
  if (found.restarts) {
    log.entries.clear();
    log.first = {};
  }
  cut(log, found.mark.begins_after.last.index);
}

void live_bytes::truncate(group_log& log, index_t from) {
  const auto kept = from > log.first ? from.value() - log.first.value() : 0;
  if (kept < log.entries.size())
    log.entries.resize(kept);
}

std::vector<live_bytes::segment_count> live_bytes::segments() const {
  auto counts = segments_;
  for (const auto& [id, log] : groups_)
    for (const auto& entry : log.entries)
      if (entry.segment != 0)
        counts[entry.segment].live_bytes += entry.bytes;
  std::vector<segment_count> list;
  for (auto& [sequence, count] : counts)
    list.push_back(std::move(count));
  return list;
}

live_bytes::group_count live_bytes::group(group_id id) const {
  group_count count;
  const auto found = groups_.find(id);
  if (found == groups_.end())
    return count;
  count.records = found->second.records;
  count.first = found->second.entries.empty() ? index_t{} : found->second.first;
  for (const auto& entry : found->second.entries)
    count.live_bytes += entry.bytes;
  return count;
}

} // namespace caucus::wal_tool
