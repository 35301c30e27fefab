#include "persistence/wal.hpp"

#include "base/assert.hpp"
#include "persistence/entries_codec.hpp"
#include "persistence/node_records.hpp"
#include "persistence/wal_state.hpp"

#include <utility>

namespace caucus::persistence {

namespace {

/// Entries of one group are cut into records of about this size: the unit that is checked, and
/// that a reader has to read whole.
constexpr size_t record_bytes_target = size_t{64} << 10;
/// What a persist batch takes besides its entries, from above.
constexpr size_t batch_overhead_bytes = 1024;
constexpr size_t hard_state_bytes = record_header_bytes + 24;

} // namespace

result<void> wal::state::append_staged() {
  if (!writer.fits(buffer.bytes())) {
    if (needed_in <= last_batch) // Closing the old segment syncs it, if that's still to be done.
      writer.set_oldest(needed_from);
    if (auto done = writer.start_next(last_batch + 1, buffer.bytes()); !done)
      return done;
    usage.add_segment(writer.place().segment, writer.file_bytes());
    durable_upto = last_batch; // Closing the old segment synced it.
  }
  appended = writer.place();
  batch_header header;
  header.number = last_batch + 1;
  header.epoch = epoch;
  header.durable_upto = durable_upto;
  if (auto done = writer.append(buffer.seal(header, appended)); !done)
    return done;
  ++last_batch;
  return {};
}

result<void> wal::state::sync() {
  auto done = writer.sync();
  if (done)
    durable_upto = last_batch;
  return done;
}

void wal::state::publish() {
  index->apply(changes, {appended.segment, appended.offset});
  buffer.clear();
  changes.clear();
}

error wal::state::fence(error reason) {
  const auto code = reason.code == errc::no_space ? errc::no_space : errc::wal_io_failed;
  fenced = error{code, std::move(reason).what
                         + " (the log takes no more writes; restart the node once that is mended)"};
  return *fenced;
}

void wal::state::stage_entries(const known_group& known, std::span<const raft::entry_ptr> entries,
                               record_kind kind) {
  const auto group = known.descriptor.group;
  while (!entries.empty()) {
    size_t count = 0;
    size_t bytes = 0;
    while (count < entries.size() && bytes < record_bytes_target)
      bytes += encoded_bytes(*entries[count++]);
    const auto taken = entries.first(count);
    const auto begin = buffer.bytes();
    const auto record = buffer.add_entries(group, known.descriptor.uid, taken, kind);
    const auto size = static_cast<uint32_t>(buffer.bytes() - begin);
    if (kind == record_kind::moved)
      changes.move(group, record, size);
    else
      changes.append(group, record, size);
    for (const auto& x : taken)
      changes.extend(x->id);
    entries = entries.subspan(count);
  }
}

wal::wal(std::unique_ptr<state> opened) : state_{std::move(opened)} {}

wal::~wal() = default;

void wal::add(group_id group, const raft::persist_batch& batch) {
  auto& st = *state_;
  auto* known = st.writable(group);
  if (known == nullptr)
    return; // Its actor hasn't heard yet.
  auto last = known->last;
  auto begins_after = known->begins_after.last.index;
  const kept_snapshot* installed = nullptr;
  if (batch.snapshot) {
    installed = find(known->snapshots, *batch.snapshot);
    CAUCUS_ASSERT(installed != nullptr); // Without it nothing would lead to the log (S-55).
    last = begins_after = batch.snapshot->index;
  }
  const bool truncates = batch.truncate_from && *batch.truncate_from <= last;
  if (truncates) {
    CAUCUS_ASSERT(*batch.truncate_from > begins_after);
    last = *batch.truncate_from - 1;
  }
  if (!batch.entries.empty()) {
    const auto first = batch.entries.front()->id.index;
    CAUCUS_ASSERT(first > begins_after && first <= last + 1); // A hole would stay one (S-41).
    uint64_t bytes = st.buffer.bytes() + batch_overhead_bytes;
    for (size_t i = 0; i < batch.entries.size(); ++i) {
      CAUCUS_ASSERT(batch.entries[i]->id.index == first + i);
      bytes += encoded_bytes(*batch.entries[i]) + 1;
    }
    CAUCUS_ASSERT(bytes <= st.options.batch_bytes_max); // Commit more often.
    last = batch.entries.back()->id.index;
  }
  const auto uid = known->descriptor.uid;
  if (installed != nullptr)
    st.stage_restart(*known, *installed);
  if (truncates) {
    st.buffer.add(record_kind::truncation, group, uid, {batch.truncate_from->value()});
    st.changes.truncate(group, *batch.truncate_from);
    st.note_staged(*known, *batch.truncate_from);
  }
  if (!batch.entries.empty())
    st.note_staged(*known, batch.entries.front()->id.index);
  st.stage_entries(*known, batch.entries);
  if (batch.hard) {
    st.buffer.add(
      record_kind::hard_state, group, uid,
      {batch.hard->term.value(), batch.hard->voted_for.value(), batch.hard->commit.value()});
    known->hard = *batch.hard;
    st.usage.replace(known->places.hard, st.place_of(hard_state_bytes));
  }
  known->last = last;
}

void wal::add(const group_descriptor& group) {
  auto& st = *state_;
  const auto found = st.groups.find(group.group);
  if (found != st.groups.end() && found->second.descriptor == group)
    return;
  CAUCUS_ASSERT(found == st.groups.end());
  CAUCUS_ASSERT(!st.deleted.contains(group.group)); // A group's id is never used again.
  auto& known = st.groups[group.group];
  known.descriptor = group;
  const auto body = encode_body(group);
  st.buffer.add(record_kind::group_created, group.group, group.uid, body);
  st.usage.replace(known.places.created, st.place_of(record_header_bytes + body.size()));
  st.changes.create(group.group, group.uid);
}

void wal::add_deleted(group_id group) {
  auto& st = *state_;
  const auto found = st.groups.find(group);
  if (found == st.groups.end())
    return;
  auto& known = found->second;
  const auto& descriptor = known.descriptor;
  st.stage(group_tombstone{group, descriptor.generation, descriptor.name}, descriptor.uid);
  st.changes.erase(group);
  for (auto* place : {&known.places.created, &known.places.hard, &known.places.begin})
    st.usage.drop(*place);
  for (auto& x : known.snapshots)
    st.usage.drop(x.place);
  st.damaged.erase(group);
  st.groups.erase(found);
}

void wal::add(const peer_identity& peer) {
  state_->peers[peer.node] = peer.directory;
  state_->stage(peer);
}

void wal::add_forgotten(node_id peer) {
  state_->peers.erase(peer);
  state_->buffer.add(record_kind::peer_forgotten, {}, {}, {peer.value()});
}

void wal::add(const membership::founding& x) {
  state_->founding = x;
  state_->stage(x);
}

void wal::state::stage(const membership::founding& x) {
  buffer.add(record_kind::founding, {}, {}, encode_body(x));
  count_node_record(0);
}

void wal::state::stage(const group_tombstone& x, replica_uid uid) {
  const auto body = encode_body(x);
  buffer.add(record_kind::group_deleted, x.group, uid, body);
  if (deleted.insert_or_assign(x.group, x).second)
    count_node_record(record_header_bytes + body.size());
}

void wal::state::stage(const peer_identity& x) {
  buffer.add(record_kind::peer_identity, {}, {}, {x.node.value(), x.directory.value()});
  count_node_record(0); // As many as there are nodes: not worth counting.
}

void wal::state::count_node_record(size_t bytes) {
  auto place = node_place.segment == 0 ? place_of(0) : node_place;
  place.bytes += static_cast<uint32_t>(bytes);
  usage.replace(node_place, place);
}

void wal::state::note_staged(known_group& group, index_t first) const {
  group.staged_from =
    group.staged_in == last_batch + 1 ? std::min(group.staged_from, first) : first;
  group.staged_in = last_batch + 1;
}

record_place wal::state::place_of(size_t bytes) const {
  return {usage.newest(), static_cast<uint32_t>(padded(bytes))};
}

size_t wal::staged_bytes() const noexcept {
  return state_->buffer.is_empty() ? 0 : state_->buffer.bytes();
}

result<void> wal::commit(bool must_sync) {
  auto& st = *state_;
  if (st.fenced)
    return *st.fenced;
  CAUCUS_ASSERT(st.under_way.empty());
  const bool is_staged = !st.buffer.is_empty();
  // A start would take it for no batch at all, and what was acknowledged would be gone.
  if (is_staged && st.buffer.bytes() > st.options.batch_bytes_max)
    return st.fence({errc::no_space, "a batch of " + std::to_string(st.buffer.bytes())
                                       + " bytes has come together while the disk was full"});
  if (is_staged && !st.writer.fits(st.buffer.bytes()))
    if (auto done = st.reserve(st.buffer.bytes()); !done)
      return done;
  if (is_staged)
    if (auto done = st.append_staged(); !done)
      return st.fence(std::move(done).reason());
  if (must_sync)
    if (auto done = st.sync(); !done)
      return st.fence(std::move(done).reason());
  if (is_staged)
    st.publish();
  return {};
}

result<std::optional<wal_sync>> wal::begin_commit() {
  auto& st = *state_;
  if (st.fenced)
    return *st.fenced;
  CAUCUS_ASSERT(!st.buffer.is_empty() && st.under_way.size() < syncs_max);
  if (!st.writer.fits(st.buffer.bytes()) || st.buffer.bytes() > st.options.batch_bytes_max)
    return std::optional<wal_sync>{};
  const auto number = st.last_batch + 1;
  auto segment = st.writer.opened_for_sync(number % syncs_max);
  if (!segment)
    return std::optional<wal_sync>{};
  if (auto done = st.append_staged(); !done)
    return st.fence(std::move(done).reason());
  st.under_way.push_back(
    {number, {st.appended.segment, st.appended.offset}, std::exchange(st.changes, {})});
  st.buffer.clear();
  return std::optional{wal_sync{*std::move(segment), number}};
}

result<void> wal::end_commit(const wal_sync& oldest, result<void> ended) {
  auto& st = *state_;
  if (st.fenced) // By the other one: what this one's promise is worth isn't known any more.
    return *st.fenced;
  CAUCUS_ASSERT(!st.under_way.empty() && st.under_way.front().number == oldest.batch());
  if (!ended)
    return st.fence(std::move(ended).reason());
  const auto& batch = st.under_way.front();
  st.durable_upto = batch.number;
  st.index->apply(batch.changes, batch.place);
  st.under_way.pop_front();
  return {};
}

size_t wal::syncs_under_way() const noexcept { return state_->under_way.size(); }

result<void> wal::state::reserve(uint64_t bytes) {
  auto done = writer.reserve(bytes);
  if (done || done.reason().code == errc::no_space)
    return done;
  return fence(std::move(done).reason());
}

result<void> wal::reserve() {
  auto& st = *state_;
  if (st.fenced)
    return *st.fenced;
  return st.reserve(0);
}

result<void> wal::prepare() {
  if (state_->fenced)
    return {};
  return state_->writer.prepare();
}

bool wal::wants_reserve() const noexcept {
  return !state_->fenced && !state_->writer.has_reserve();
}

bool wal::is_fenced() const noexcept { return state_->fenced.has_value(); }

std::shared_ptr<log_reader> wal::reader() const { return state_->reader; }

} // namespace caucus::persistence
