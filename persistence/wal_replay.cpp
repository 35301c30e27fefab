#include "persistence/wal_replay.hpp"

#include "base/crc32c.hpp"
#include "membership/configuration_codec.hpp"
#include "persistence/node_records.hpp"
#include "persistence/segment_header.hpp"

#include <algorithm>

namespace caucus::persistence {

namespace {

/// No group gets less than this for its recovered entries, however many there are.
constexpr uint64_t tail_bytes_min = uint64_t{64} << 10;

constexpr std::string_view undecodable = "the record doesn't decode although its checksum is right";

} // namespace

wal_replay::wal_replay(const wal_options& options, std::shared_ptr<log_index> index)
  : options_{options}, index_{std::move(index)} {}

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
    const auto found = groups_.find(header.group);
    if (header.kind == record_kind::group_created || header.kind == record_kind::group_deleted
        || found == groups_.end() || found->second.found.descriptor.uid != header.uid)
      return at(record, errc::wal_corrupt,
                "the record (" + std::string{to_string(header.kind)} + ") is damaged");
    quarantine(found->second, record, "its checksum is wrong");
    return {};
  }
  changes_.clear();
  switch (header.kind) {
    case record_kind::group_created: return apply_group_created(record);
    case record_kind::group_deleted: return apply_group_deleted(record);
    case record_kind::peer_identity:
    case record_kind::peer_forgotten:
    case record_kind::founding: return apply_node_record(record);
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

result<void> wal_replay::apply_group_created(const located_record& record) {
  auto decoded = decode_group_descriptor(record.header.group, record.header.uid, record.body);
  if (!decoded)
    return at(record, errc::wal_corrupt, undecodable);
  const auto group = decoded->group;
  groups_[group] = {};
  groups_[group].found.descriptor = *std::move(decoded);
  changes_.create(group, record.header.uid);
  index_->apply(changes_, place_);
  return {};
}

result<void> wal_replay::apply_group_deleted(const located_record& record) {
  auto decoded = decode_group_tombstone(record.header.group, record.body);
  if (!decoded)
    return at(record, errc::wal_corrupt, undecodable);
  const auto group = decoded->group;
  groups_.erase(group);
  changes_.erase(group);
  index_->apply(changes_, place_);
  tombstones_[group] = *std::move(decoded);
  return {};
}

result<void> wal_replay::apply_group_record(const located_record& record) {
  const auto group = record.header.group;
  const auto found = groups_.find(group);
  if (found == groups_.end()) {
    if (tombstones_.contains(group))
      return {}; // Written before its group's end was noticed (RELIABILITY W-13).
    return at(record, errc::wal_corrupt,
              "it is of group " + std::to_string(group.value()) + ", which was never created");
  }
  if (found->second.found.damaged)
    return {};
  if (auto reason = apply_to_group(found->second, record))
    quarantine(found->second, record, *reason);
  return {};
}

std::optional<std::string> wal_replay::apply_to_group(group_state& group,
                                                      const located_record& record) {
  if (record.header.uid != group.found.descriptor.uid)
    return "it is of replica " + std::to_string(record.header.uid.value());
  if (record.header.kind == record_kind::entries)
    return apply_entries(group, record);
  if (record.header.kind == record_kind::hard_state) {
    const auto hard = decode_hard_state(record.body);
    if (!hard)
      return std::string{undecodable};
    group.found.hard = *hard;
    return std::nullopt;
  }
  const auto from = decode_numbers(record.body, 1);
  if (!from || from->front() == 0)
    return std::string{undecodable};
  changes_.truncate(record.header.group, index_t{from->front()});
  index_->apply(changes_, place_);
  group.tail.truncate(index_t{from->front()});
  forget_configurations(group, index_t{from->front()});
  return std::nullopt;
}

std::optional<std::string> wal_replay::apply_entries(group_state& group,
                                                     const located_record& record) {
  entries_cursor cursor{record.body};
  const auto last = index_->entry_before(record.header.group, cursor.first());
  if (!cursor.first() || cursor.count() == 0)
    return std::string{undecodable};
  if (cursor.first() > last.index + 1)
    return "it begins with entry " + std::to_string(cursor.first().value())
           + " but the log ends at " + std::to_string(last.index.value());
  changes_.append(record.header.group, record.offset, record.header.bytes);
  forget_configurations(group, cursor.first());
  auto term = last.term;
  while (cursor.next()) {
    if (cursor.id().term < term)
      return "its terms go backwards at entry " + std::to_string(cursor.id().index.value());
    term = cursor.id().term;
    changes_.extend(cursor.id());
    if (cursor.kind() == raft::entry_kind::configuration && !note_configuration(group, cursor))
      return "the configuration of entry " + std::to_string(cursor.id().index.value())
             + " doesn't decode";
  }
  if (!cursor.at_end())
    return std::string{undecodable};
  index_->apply(changes_, place_);
  group.tail.append(record.body, cursor.first(), cursor.id().index);
  shrink(group);
  return std::nullopt;
}

bool wal_replay::note_configuration(group_state& group, const entries_cursor& at) {
  auto members = membership::decode_payload(at.payload());
  if (members)
    group.found.configurations.push_back(
      {at.id().index, std::make_shared<const membership::configuration>(*std::move(members))});
  return members.has_value();
}

void wal_replay::forget_configurations(group_state& group, index_t from) {
  std::erase_if(group.found.configurations, [from](const auto& x) { return x.id >= from; });
}

void wal_replay::quarantine(group_state& group, const located_record& record,
                            std::string_view reason) {
  const auto id = group.found.descriptor.group;
  group.found.damaged = at(record, errc::wal_corrupt, reason);
  group.found.hard = {};
  group.found.configurations.clear();
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

void wal_replay::finish(wal_recovery& into) {
  for (auto& [id, group] : groups_) {
    auto& found = group.found;
    if (const auto log = index_->describe(id); log && !found.damaged) {
      shrink(group); // More groups may have come since its last record.
      found.runs = log->runs;
      found.last = log->last;
      found.tail = group.tail.decode();
      // The commit index may be known before the entries are here; it is a hint (RELIABILITY W-19).
      found.hard.commit = std::min(found.hard.commit, found.last);
    }
    group.tail = {};
    into.groups.push_back(std::move(found));
  }
  for (auto& [id, tombstone] : tombstones_)
    into.tombstones.push_back(std::move(tombstone));
  into.founding = std::move(founding_);
  for (const auto& [node, directory] : peers_)
    into.peers.push_back({node, directory});
}

std::string wal_replay::describe_ends() const {
  constexpr size_t shown_max = 4;
  std::string text;
  size_t shown = 0;
  for (const auto& [id, group] : groups_) {
    const auto log = index_->describe(id);
    if (!log)
      continue;
    if (shown++ == shown_max)
      return text + ", ...";
    text += (text.empty() ? "" : ", ") + group.found.descriptor.name + " ends at "
            + std::to_string(log->last.value());
  }
  return text;
}

} // namespace caucus::persistence
