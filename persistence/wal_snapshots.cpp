// What a log says about snapshots, and from where on it needs to be kept.

#include "base/assert.hpp"
#include "persistence/group_records.hpp"
#include "persistence/wal_state.hpp"

namespace caucus::persistence {

wal::state::known_group* wal::state::writable(group_id group) {
  const auto found = groups.find(group);
  if (found == groups.end() && deleted.contains(group))
    return nullptr;
  CAUCUS_ASSERT_MSG(found != groups.end(), "group " + std::to_string(group.value()));
  CAUCUS_ASSERT(!found->second.is_damaged);
  return &found->second;
}

void wal::add(group_id group, const snapshot_mark& mark) {
  auto& st = *state_;
  auto* known = st.writable(group);
  if (known == nullptr)
    return;
  const auto last = mark.snapshot.at.last;
  CAUCUS_ASSERT(last.index != index_t{} && last.term != term_t{});
  CAUCUS_ASSERT(mark.snapshot.bytes.size() <= small_snapshot_bytes_max);
  CAUCUS_ASSERT(mark.snapshot.is_small || mark.snapshot.bytes.empty());
  const bool cuts = mark.begins_after.last.index > known->begins_after.last.index;
  const auto& begins_after = cuts ? mark.begins_after : known->begins_after;
  CAUCUS_ASSERT(!cuts || begins_after.last.index <= std::min(last.index, known->last));
  auto snapshots = known->snapshots;
  const auto* known_before = find(snapshots, last);
  const bool is_known = known_before != nullptr;
  if (is_known && !cuts)
    return;
  auto added = mark.snapshot;
  added.bytes = {};
  if (is_known)
    added.place = known_before->place;
  if (!keep(snapshots, std::move(added), begins_after.last.index))
    return;
  const auto uid = known->descriptor.uid;
  const auto body = encode_body(snapshot_record{.mark = {mark.snapshot, begins_after}});
  // Of a small one that is known its bytes needn't be given again to cut the log.
  const bool has_bytes = mark.snapshot.is_small && (!is_known || !mark.snapshot.bytes.empty());
  const auto kind = has_bytes ? record_kind::small_snapshot : record_kind::snapshot_mark;
  const auto begin = st.buffer.bytes();
  const auto record = st.buffer.add(kind, group, uid, body);
  if (cuts)
    st.changes.compact(group, begins_after.last);
  if (has_bytes)
    st.changes.keep_snapshot(group, last.index, record,
                             static_cast<uint32_t>(st.buffer.bytes() - begin));
  st.changes.drop_snapshots(group, snapshots.back().at.last.index);
  st.adopt(*known, std::move(snapshots));
  known->begins_after = begins_after;
  st.count_mark(*known, last, st.buffer.bytes() - begin);
}

void wal::state::adopt(known_group& group, std::vector<kept_snapshot> snapshots) {
  for (auto& x : group.snapshots)
    if (find(snapshots, x.at.last) == nullptr)
      usage.drop(x.place);
  group.snapshots = std::move(snapshots);
}

void wal::state::count_mark(known_group& group, raft::entry_id last, size_t bytes) {
  for (auto& x : group.snapshots)
    if (x.at.last == last
        && !x.is_small) // A small one is where its bytes are; the index counts it.
      usage.replace(x.place, place_of(bytes));
  if (group.begins_after.last.index)
    usage.replace(group.places.begin, place_of(0));
}

void wal::state::stage_restart(known_group& group, const kept_snapshot& after) {
  const auto id = group.descriptor.group;
  const auto boundary = after.at;
  const auto body = encode_body(snapshot_record{.restarts = true, .mark = {after, boundary}});
  const auto begin = buffer.bytes();
  buffer.add(record_kind::snapshot_mark, id, group.descriptor.uid, body);
  changes.restart(id, boundary.last);
  changes.drop_snapshots(id, boundary.last.index);
  auto snapshots = group.snapshots;
  drop_older(snapshots, boundary.last.index);
  adopt(group, std::move(snapshots));
  group.begins_after = boundary;
  count_mark(group, boundary.last, buffer.bytes() - begin);
  note_staged(group, {});
}

} // namespace caucus::persistence
