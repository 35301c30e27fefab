#include "persistence/wal_replay.hpp"

#include "base/crc32c.hpp"
#include "persistence/node_records.hpp"
#include "persistence/segment_files.hpp"
#include "persistence/segment_header.hpp"

#include <algorithm>

namespace caucus::persistence {

namespace {

/// No group gets less than this for its recovered entries, however many there are.
constexpr uint64_t tail_bytes_min = uint64_t{4} << 10;

} // namespace

wal_replay::wal_replay(const wal_options& options, std::shared_ptr<log_index> index,
                       bool is_front_missing)
  : options_{options}, is_front_missing_{is_front_missing}, index_{std::move(index)} {}

result<void> wal_replay::apply(std::span<const std::byte> batch, const batch_header& header,
                               log_position place, bool is_intact) {
  place_ = place;
  uint64_t offset = batch_header_bytes;
  uint32_t count = 0;
  for (; offset < batch.size(); ++count) {
    located_record record;
    record.offset = static_cast<uint32_t>(offset);
    const auto rest = batch.subspan(offset);
    const auto decoded = decode_record_header(rest);
    if (!decoded || decoded->bytes > rest.size())
      return at(record, errc::wal_corrupt, "the record's header is damaged");
    record.header = *decoded;
    record.body = rest.subspan(record_header_bytes, decoded->bytes - record_header_bytes);
    if (auto applied = apply_record(record, is_intact); !applied)
      return applied;
    offset += padded(decoded->bytes);
  }
  if (offset != batch.size() || count != header.records) {
    located_record end;
    end.offset = static_cast<uint32_t>(batch.size());
    return at(end, errc::wal_corrupt, "the batch doesn't have the records that its header says");
  }
  return {};
}

result<void> wal_replay::apply_record(const located_record& record, bool is_intact) {
  const auto& header = record.header;
  if (!is_readable(header.kind))
    return at(record, errc::version_mismatch,
              describe_unreadable(header.kind) + "; start the newer build");
  if (!is_intact && crc32c(record.body) != header.body_crc) {
    // Its header is sound, so it is known whom the loss concerns; but a group that isn't known
    // otherwise (its creation is lost), or the node itself, can't be set apart.
    changes_.clear();
    const bool is_birth_or_death =
      header.kind == record_kind::group_created || header.kind == record_kind::group_deleted;
    auto* group = is_birth_or_death ? nullptr : meet(header);
    if (group == nullptr || group->found.descriptor.uid != header.uid)
      return at(record, errc::wal_corrupt,
                "the record (" + std::string{to_string(header.kind)} + ") is damaged");
    quarantine(*group, record, "its checksum is wrong");
    return {};
  }
  changes_.clear();
  switch (header.kind) {
    case record_kind::group_created: return apply_group_created(record);
    case record_kind::group_deleted: return apply_group_deleted(record);
    case record_kind::peer_identity:
    case record_kind::peer_forgotten:
    case record_kind::founding: return apply_node_record(record);
    case record_kind::checkpoint:
      return header.group ? apply_group_record(record) : apply_node_record(record);
    default: return apply_group_record(record);
  }
}

result<void> wal_replay::apply_node_record(const located_record& record) {
  if (record.header.kind == record_kind::founding) {
    auto founding = decode_founding(record.body);
    if (!founding)
      return at(record, errc::wal_corrupt, undecodable);
    founding_ = *std::move(founding);
    return {};
  }
  if (record.header.kind == record_kind::checkpoint) {
    const auto needed = decode_numbers(record.body, 1);
    if (!needed)
      return at(record, errc::wal_corrupt, undecodable);
    needed_from_ = std::max(needed_from_, needed->front());
    return {};
  }
  const bool is_forgotten = record.header.kind == record_kind::peer_forgotten;
  const auto numbers = decode_numbers(record.body, is_forgotten ? 1 : 2);
  if (!numbers)
    return at(record, errc::wal_corrupt, undecodable);
  const node_id peer{(*numbers)[0]};
  if (is_forgotten)
    peers_.erase(peer);
  else
    peers_[peer] = directory_id{(*numbers)[1]};
  return {};
}

void wal_replay::quarantine(group_state& group, const located_record& record,
                            std::string_view reason) {
  quarantine(group, at(record, errc::wal_corrupt, reason));
}

void wal_replay::quarantine(group_state& group, error reason) {
  const auto id = group.found.descriptor.group;
  recovered_group nothing;
  nothing.descriptor = std::move(group.found.descriptor);
  nothing.damaged = std::move(reason);
  group.found = std::move(nothing);
  group.tail = {};
  changes_.clear();
  changes_.erase(id);
  index_->apply(changes_, place_);
}

void wal_replay::shrink(group_state& group) const {
  const auto share = options_.recovered_tail_bytes_total / groups_.size();
  group.tail.shrink(std::min(options_.recovered_tail_bytes, std::max(share, tail_bytes_min)));
}

error wal_replay::at(const located_record& record, errc code, std::string_view reason) const {
  return {code, segment_name(place_.segment) + " at offset "
                  + std::to_string(place_.offset + record.offset) + ": " + std::string{reason}};
}

std::vector<group_id> wal_replay::ids() const {
  std::vector<group_id> ids;
  ids.reserve(groups_.size());
  for (const auto& [id, group] : groups_)
    ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

result<void> wal_replay::finish(group_state& group, segment_files& log) {
  auto& found = group.found;
  const auto id = found.descriptor.group;
  const auto known = index_->describe(id);
  if (!known || found.damaged)
    return {};
  if (auto reason = find_gap(found, *known)) {
    quarantine(group, {errc::wal_corrupt, "group '" + found.descriptor.name + "': " + *reason});
    return {};
  }
  shrink(group); // More groups may have come since its last record.
  auto entries = group.tail.read(log);
  if (!entries && entries.reason().code == errc::wal_corrupt) {
    quarantine(group, std::move(entries).reason());
    return {};
  }
  if (!entries)
    return std::move(entries).reason();
  group.tail = {};
  found.runs = known->runs;
  found.last = known->last;
  found.tail = *std::move(entries);
  // The commit index may be known before the entries are here; it is a hint (RELIABILITY W-19).
  found.hard.commit = std::clamp(found.hard.commit, known->begins_after.index, found.last);
  return {};
}

result<void> wal_replay::finish(segment_files& log, wal_recovery& into) {
  for (const auto id : ids()) {
    auto& group = groups_.at(id);
    if (!group.is_described)
      return error{errc::wal_corrupt, "no record says what group " + std::to_string(id.value())
                                        + " is, although others are of it, from "
                                        + segment_name(group.met_at.segment) + " at offset "
                                        + std::to_string(group.met_at.offset) + " on"};
    if (auto done = finish(group, log); !done)
      return done;
    into.groups.push_back(std::move(group.found));
  }
  for (auto& [id, tombstone] : tombstones_)
    into.tombstones.push_back(std::move(tombstone));
  into.founding = std::move(founding_);
  for (const auto& [node, directory] : peers_)
    into.peers.push_back({node, directory});
  return {};
}

std::string wal_replay::describe_ends() const {
  constexpr size_t shown_max = 4;
  std::string text;
  size_t shown = 0;
  for (const auto id : ids()) {
    const auto log = index_->describe(id);
    if (!log)
      continue;
    if (shown++ == shown_max)
      return text + ", ...";
    text += (text.empty() ? "" : ", ") + groups_.at(id).found.descriptor.name + " ends at "
            + std::to_string(log->last.value());
  }
  return text;
}

} // namespace caucus::persistence
