#include "persistence/log_changes.hpp"

#include "base/assert.hpp"

namespace caucus::persistence {

void log_changes::create(group_id group, replica_uid uid) {
  auto& added = items.emplace_back();
  added.kind = log_change::kind::create;
  added.group = group;
  added.uid = uid;
}

void log_changes::erase(group_id group) {
  auto& added = items.emplace_back();
  added.kind = log_change::kind::erase;
  added.group = group;
}

void log_changes::truncate(group_id group, index_t from) {
  auto& added = items.emplace_back();
  added.kind = log_change::kind::truncate;
  added.group = group;
  added.first = from;
}

void log_changes::append(group_id group, uint32_t record, uint32_t bytes) {
  auto& added = items.emplace_back();
  added.kind = log_change::kind::append;
  added.group = group;
  added.record = record;
  added.bytes = bytes;
  added.runs_begin = static_cast<uint32_t>(runs.size());
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
