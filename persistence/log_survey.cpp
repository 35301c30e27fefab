#include "persistence/log_survey.hpp"

#include "base/crc32c.hpp"
#include "membership/configuration_codec.hpp"
#include "persistence/entries_codec.hpp"
#include "persistence/group_records.hpp"
#include "persistence/node_records.hpp"

#include <algorithm>

namespace caucus::persistence {

namespace {

constexpr size_t bytes_ahead = size_t{1} << 20;

std::string batch_name(uint64_t number) { return "batch " + std::to_string(number); }

std::string find_flaw_of_entries(std::span<const std::byte> body) {
  entries_cursor cursor{body};
  if (!cursor.first() || cursor.count() == 0)
    return "it has no entries";
  while (cursor.next())
    if (cursor.kind() == raft::entry_kind::configuration
        && !membership::decode_payload(cursor.payload()))
      return "the configuration of entry " + std::to_string(cursor.id().index.value())
             + " doesn't decode";
  return cursor.at_end() ? "" : "its entries don't decode";
}

} // namespace

std::string find_flaw(const record_header& header, std::span<const std::byte> body) {
  const auto undecodable = [](bool decodes) { return decodes ? "" : "its body doesn't decode"; };
  switch (header.kind) {
    case record_kind::entries:
    case record_kind::moved: return find_flaw_of_entries(body);
    case record_kind::checkpoint:
      return undecodable(header.group
                           ? decode_group_checkpoint(header.group, header.uid, body).has_value()
                           : decode_numbers(body, 1).has_value());
    case record_kind::hard_state: return undecodable(decode_numbers(body, 3).has_value());
    case record_kind::truncation:
    case record_kind::peer_forgotten: return undecodable(decode_numbers(body, 1).has_value());
    case record_kind::peer_identity: return undecodable(decode_numbers(body, 2).has_value());
    case record_kind::founding: return undecodable(decode_founding(body).has_value());
    case record_kind::group_created:
      return undecodable(decode_group_descriptor(header.group, header.uid, body).has_value());
    case record_kind::group_deleted:
      return undecodable(decode_group_tombstone(header.group, body).has_value());
    case record_kind::snapshot_mark:
    case record_kind::small_snapshot:
      return undecodable(
        decode_snapshot_record(body, header.kind == record_kind::small_snapshot, nullptr)
          .has_value());
    default: return describe_unreadable(header.kind);
  }
}

log_survey::log_survey(directory& dir, log_visitor& visitor) : directory_{dir}, visitor_{visitor} {}

result<void> log_survey::run() {
  if (auto found = find_segments(); !found)
    return found;
  for (const auto& [sequence, segment] : segments_)
    if (sequence < oldest_)
      visitor_.on_problem(
        {segment_name(sequence), 0, "file", "isn't needed any more; a start removes it", false});
    else
      survey_segment(segment);
  check_names();
  return {};
}

result<void> log_survey::find_segments() {
  auto names = directory_.list();
  if (!names)
    return std::move(names).reason();
  for (const auto& name : *names) {
    const auto sequence = parse_segment_name(name);
    if (!sequence)
      continue;
    auto& segment = segments_[*sequence];
    segment.sequence = *sequence;
    std::array<std::byte, segment_header_used> bytes{};
    auto content = directory_.open(name);
    const auto size = content ? (*content)->size() : result<uint64_t>{content.reason()};
    const auto done = content ? (*content)->read_at(0, bytes) : result<size_t>{content.reason()};
    segment.bytes = size ? *size : 0;
    auto header = done ? decode_segment_header(std::span{bytes}.first(*done))
                       : result<segment_header>{done.reason()};
    if (!header) {
      header_flaws_[*sequence] = std::move(header).reason().what;
      continue;
    }
    segment.header = *header;
    if (!directory_id_)
      directory_id_ = header->directory;
  }
  if (!segments_.empty() && segments_.rbegin()->second.header)
    oldest_ = segments_.rbegin()->second.header->oldest_segment;
  return {};
}

void log_survey::check_names() {
  if (segments_.empty())
    return;
  // The log's records, too, say which of its segments are not needed any more.
  const auto first = segments_.lower_bound(oldest_);
  auto expected = std::max(oldest_, needed_from_);
  if (first != segments_.end() && (expected == 0 || expected > first->first))
    expected = first->first;
  for (auto x = first; x != segments_.end(); ++x, ++expected)
    for (; expected < x->first; ++expected)
      visitor_.on_problem({segment_name(expected), 0, "file", "is missing"});
}

void log_survey::check_header(const surveyed_segment& segment) {
  if (const auto flaw = header_flaws_.find(segment.sequence); flaw != header_flaws_.end())
    return report(0, "segment header", flaw->second);
  const auto& header = *segment.header;
  const auto& first = *std::find_if(segments_.begin(), segments_.end(), [](const auto& x) {
                         return x.second.header.has_value();
                       })->second.header;
  if (header.sequence != segment.sequence)
    report(0, "segment header", "it says that it is " + segment_name(header.sequence));
  if (header.directory != first.directory || header.identity != first.identity)
    report(0, "segment header", "it was written in another directory than the first segment");
  if (header.epoch < epoch_)
    report(0, "segment header", "it is older than the segment before it");
  if (last_batch_ != 0 && header.first_batch != last_batch_ + 1)
    report(0, "segment header",
           "it begins with batch " + std::to_string(header.first_batch) + " instead of "
             + std::to_string(last_batch_ + 1));
}

void log_survey::survey_segment(const surveyed_segment& segment) {
  at_ = {segment.sequence, segment_header_bytes};
  visitor_.on_segment(segment);
  check_header(segment);
  if (segment.header) {
    last_batch_ = std::max(last_batch_, segment.header->first_batch - 1);
    epoch_ = std::max(epoch_, segment.header->epoch);
  }
  auto content = directory_.open(segment_name(segment.sequence));
  if (content) {
    read_window window{**content, bytes_ahead};
    bool is_more = true;
    while (is_more) {
      auto stepped = step(window, segment);
      if (!stepped)
        report(at_.offset, "file", stepped.reason().what);
      is_more = stepped && *stepped;
    }
  }
  visitor_.on_segment_end(segment, at_.offset);
}

result<bool> log_survey::step(read_window& window, const surveyed_segment& segment) {
  auto bytes = window.at(at_.offset, batch_header_bytes);
  if (!bytes)
    return std::move(bytes).reason();
  const auto header = decode_batch_header(*bytes, {directory_id_, segment.sequence, at_.offset});
  if (!header || header->number != last_batch_ + 1 || header->epoch < epoch_
      || header->bytes > segment.bytes - at_.offset)
    return step_over_unreadable(window, segment);
  auto batch = window.at(at_.offset, header->bytes);
  if (!batch)
    return std::move(batch).reason();
  if (crc32c(batch->subspan(batch_header_bytes)) != header->body_crc) {
    auto proof = proof_of(header->number, window, segment);
    if (!proof)
      return std::move(proof).reason();
    if (proof->empty())
      return step_over_unreadable(window, segment);
    report(at_.offset, batch_name(header->number),
           "its checksum is wrong although it was durable (" + *proof + ")");
    batch = window.at(at_.offset, header->bytes); // The search has moved the window.
    if (!batch)
      return std::move(batch).reason();
  }
  visitor_.on_batch(at_, *header);
  walk_records(*batch, *header);
  last_batch_ = header->number;
  epoch_ = header->epoch;
  at_.offset += header->bytes;
  return true;
}

log_end::expected log_survey::next_batch(const surveyed_segment& segment) const {
  return {{directory_id_, segment.sequence, at_.offset},
          last_batch_ + 1,
          epoch_,
          segment.header && segment.header->recycled_from != 0};
}

const surveyed_segment* log_survey::after(const surveyed_segment& segment) const {
  const auto next = segments_.upper_bound(segment.sequence);
  return next == segments_.end() ? nullptr : &next->second;
}

result<std::string> log_survey::proof_of(uint64_t batch, read_window& window,
                                         const surveyed_segment& segment) {
  if (const auto* next = after(segment))
    return std::string{
      next->header && next->header->first_batch <= batch ? "" : "a later segment follows"};
  if (!is_searched_) {
    auto looked = log_end::find(window, next_batch(segment), segment.bytes);
    if (!looked)
      return std::move(looked).reason();
    proven_upto_ = looked->durable_upto;
    is_searched_ = true;
  }
  return std::string{proven_upto_ >= batch ? "a later batch says so" : ""};
}

result<bool> log_survey::step_over_unreadable(read_window& window,
                                              const surveyed_segment& segment) {
  const auto missing = last_batch_ + 1;
  std::optional<std::pair<uint64_t, batch_header>> next;
  auto rest = log_end::find(
    window, next_batch(segment), segment.bytes, [&](uint64_t offset, const batch_header& header) {
      if (!next && offset > at_.offset && header.number > last_batch_ && header.epoch >= epoch_
          && header.bytes <= segment.bytes - offset)
        next = {offset, header};
    });
  if (!rest)
    return std::move(rest).reason();
  auto proof = proof_of(missing, window, segment);
  if (!proof)
    return std::move(proof).reason();
  if (proof->empty()) {
    if (rest->torn_end != 0 && after(segment) == nullptr)
      report(at_.offset, batch_name(missing),
             "torn tail: " + std::to_string(rest->torn_end - at_.offset)
               + " bytes of writes that were never completed; a start drops them",
             false);
    return false;
  }
  report(at_.offset, batch_name(missing),
         "it was durable (" + *proof + ") and is not there"
           + (next ? "; the next that can be read is " + batch_name(next->second.number)
                       + " at offset " + std::to_string(next->first)
                   : ""));
  if (!next)
    return false;
  at_.offset = next->first;
  last_batch_ = next->second.number - 1;
  return true;
}

void log_survey::walk_records(std::span<const std::byte> batch, const batch_header& header) {
  uint64_t offset = batch_header_bytes;
  uint32_t count = 0;
  for (; offset < batch.size(); ++count) {
    const auto rest = batch.subspan(offset);
    const auto decoded = decode_record_header(rest);
    if (!decoded || decoded->bytes > rest.size())
      return report(at_.offset + offset, batch_name(header.number) + ", record header",
                    "it is damaged, so that what follows it in the batch can't be told apart");
    surveyed_record record;
    record.at = {at_.segment, at_.offset + offset};
    record.batch = header.number;
    record.header = *decoded;
    record.body = rest.subspan(record_header_bytes, decoded->bytes - record_header_bytes);
    const auto flaw = crc32c(record.body) == decoded->body_crc
                        ? find_flaw(record.header, record.body)
                        : std::string{"its checksum is wrong"};
    record.is_sound = flaw.empty();
    if (record.is_sound && decoded->kind == record_kind::checkpoint && !decoded->group)
      needed_from_ = std::max(needed_from_, decode_numbers(record.body, 1)->front());
    if (!flaw.empty())
      report(record.at.offset,
             batch_name(header.number) + ", " + std::string{to_string(decoded->kind)}
               + (decoded->group ? " of group " + std::to_string(decoded->group.value()) : ""),
             flaw);
    visitor_.on_record(record);
    offset += padded(decoded->bytes);
  }
  if (offset != batch.size() || count != header.records)
    report(at_.offset, batch_name(header.number), "it doesn't have the records that it says");
}

void log_survey::report(uint64_t offset, std::string part, std::string what, bool is_damage) {
  visitor_.on_problem(
    {segment_name(at_.segment), offset, std::move(part), std::move(what), is_damage});
}

} // namespace caucus::persistence
