#include "apps/wal/log_rescue.hpp"

#include "persistence/entries_codec.hpp"
#include "persistence/group_records.hpp"
#include "persistence/node_records.hpp"

namespace caucus::wal_tool {

using namespace persistence;

namespace {

constexpr size_t staged_bytes_max = size_t{4} << 20;

} // namespace

void log_rescue::on_problem(const log_problem& x) { problems_.push_back(x); }

void log_rescue::on_record(const surveyed_record& x) {
  if (!x.header.group)
    return x.is_sound ? take_node_record(x) : void();
  if (x.header.kind == record_kind::group_created || x.header.kind == record_kind::group_deleted)
    return x.is_sound ? take_group(x) : void();
  const auto found = groups_.find(x.header.group);
  if (found == groups_.end() || uids_[x.header.group] != x.header.uid) {
    orphans_ += found == groups_.end() ? 1 : 0;
    return;
  }
  if (!x.is_sound)
    ++found->second.damaged_records;
  else if (x.header.kind == record_kind::entries)
    take_entries(found->second, x);
  else if (x.header.kind == record_kind::snapshot_mark
           || x.header.kind == record_kind::small_snapshot)
    take_snapshot(found->second, x);
  else
    take_state(found->second, x);
  commit_if_large();
}

void log_rescue::take_node_record(const surveyed_record& x) {
  if (into_ == nullptr)
    return;
  const auto is_forgotten = x.header.kind == record_kind::peer_forgotten;
  const auto numbers = *decode_numbers(x.body, is_forgotten ? 1 : 2);
  if (is_forgotten)
    into_->add_forgotten(node_id{numbers[0]});
  else
    into_->add(peer_identity{node_id{numbers[0]}, directory_id{numbers[1]}});
}

void log_rescue::take_group(const surveyed_record& x) {
  const auto id = x.header.group;
  if (x.header.kind == record_kind::group_deleted) {
    if (groups_.erase(id) != 0 && into_ != nullptr)
      into_->add_deleted(id);
    return;
  }
  const auto group = *decode_group_descriptor(id, x.header.uid, x.body);
  if (!groups_.try_emplace(id, group_outcome{.name = group.name}).second)
    return;
  uids_[id] = x.header.uid;
  if (into_ != nullptr)
    into_->add(group);
}

void log_rescue::take_entries(group_outcome& group, const surveyed_record& x) {
  entries_cursor cursor{x.body};
  const auto first = cursor.first();
  if (first > group.kept + 1) { // A hole: what is behind it follows from entries that are gone.
    group.lost_first = group.lost_first == 0 ? group.kept.value() + 1 : group.lost_first;
    group.lost_last = std::max(group.lost_last, first.value() + cursor.count() - 1);
    return;
  }
  raft::persist_batch batch;
  const auto owner = std::make_shared<shared_bytes>(shared_bytes::copy_of(x.body));
  entries_cursor copied{owner->span()};
  while (copied.next())
    batch.entries.push_back(copied.make(owner));
  group.kept = first + cursor.count() - 1;
  if (group.lost_last <= group.kept.value()) // Written again later: nothing of it is lost.
    group.lost_first = group.lost_last = 0;
  put(x.header.group, batch);
}

void log_rescue::take_snapshot(group_outcome& group, const surveyed_record& x) {
  const bool has_bytes = x.header.kind == record_kind::small_snapshot;
  const auto owner = std::make_shared<shared_bytes>(shared_bytes::copy_of(x.body));
  auto found = *decode_snapshot_record(owner->span(), has_bytes, owner);
  const auto last = found.mark.snapshot.at.last;
  raft::persist_batch restart;
  // Behind a hole, or if the log was emptied for it, the log can go on after the snapshot only.
  if (found.restarts || last.index > group.kept) {
    found.mark.begins_after = {};
    restart.snapshot = last;
    group.kept = last.index;
    if (group.lost_last <= group.kept.value())
      group.lost_first = group.lost_last = 0;
  }
  if (into_ == nullptr)
    return;
  if (!found.restarts)
    into_->add(x.header.group, found.mark);
  if (restart.snapshot)
    into_->add(x.header.group, restart);
}

void log_rescue::take_state(group_outcome& group, const surveyed_record& x) {
  raft::persist_batch batch;
  if (x.header.kind == record_kind::hard_state) {
    batch.hard = decode_hard_state(x.body);
  } else {
    batch.truncate_from = index_t{decode_numbers(x.body, 1)->front()};
    if (*batch.truncate_from > group.kept)
      return;
    group.kept = *batch.truncate_from - 1;
  }
  put(x.header.group, batch);
}

void log_rescue::put(group_id group, const raft::persist_batch& batch) {
  if (into_ != nullptr)
    into_->add(group, batch);
}

void log_rescue::commit_if_large() {
  if (into_ == nullptr || failed_ || into_->staged_bytes() < staged_bytes_max)
    return;
  if (auto done = into_->commit(false); !done)
    failed_ = std::move(done).reason();
}

result<void> log_rescue::finish() {
  if (failed_)
    return *failed_;
  if (into_ == nullptr)
    return {};
  return into_->commit(true);
}

} // namespace caucus::wal_tool
