// What is required of each decoder of the log: what decodes means the same after another round.
#include "membership/configuration_codec.hpp"
#include "persistence/batch_buffer.hpp"
#include "persistence/entries_codec.hpp"
#include "persistence/group_records.hpp"
#include "persistence/log_survey.hpp"
#include "persistence/node_records.hpp"
#include "tests/fuzz/wal_checks.hpp"

using namespace caucus;
using namespace caucus::persistence;
using caucus::testing::fuzz_bytes;
using caucus::testing::get;
using caucus::testing::put;
using caucus::testing::require;

namespace {

bool is_equal(std::span<const std::byte> a, std::span<const std::byte> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}
/// So that reading beyond the end is seen.
fuzz_bytes without_last_byte(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end() - 1};
}
/// What decodes means the same after another round; from then on the bytes are the same, too.
template <class Decode>
bool survives_a_round(std::span<const std::byte> body, const Decode& decode) {
  const auto got = decode(body);
  if (!got)
    return false;
  const auto bytes = encode_body(*got);
  const auto again = decode(std::span<const std::byte>{bytes});
  require(again && encode_body(*again) == bytes);
  return true;
}

bool check_entries(std::span<const std::byte> body, record_kind kind) {
  const auto owner = std::make_shared<fuzz_bytes>(body.begin(), body.end());
  entries_cursor cursor{*owner};
  std::vector<raft::entry_ptr> entries;
  bool decodes = true;
  while (cursor.next()) {
    entries.push_back(cursor.make(owner));
    require(entries.back()->id == cursor.id() && entries.back()->cost() == cursor.cost());
    if (cursor.kind() == raft::entry_kind::configuration)
      decodes = decodes && membership::decode_payload(cursor.payload());
  }
  if (!cursor.at_end() || entries.empty() || !cursor.first())
    return false;
  batch_buffer buffer;
  buffer.add_entries(group_id{1}, replica_uid{7}, entries, kind);
  const auto batch = buffer.seal({.number = 1}, {});
  const auto header = decode_record_header(batch.subspan(batch_header_bytes));
  require(header && header->bytes == record_header_bytes + body.size());
  entries_cursor again{batch.subspan(batch_header_bytes + record_header_bytes, body.size())};
  for (const auto& x : entries) {
    require(again.next() && again.id() == x->id && again.kind() == x->body.kind);
    require(is_equal(again.payload(), x->body.payload.span()));
  }
  return decodes;
}

bool decodes(record_kind kind, group_id group, std::span<const std::byte> body) {
  const replica_uid uid{7};
  switch (kind) {
    case record_kind::entries:
    case record_kind::moved: return check_entries(body, kind);
    case record_kind::hard_state: return decode_hard_state(body).has_value();
    case record_kind::truncation:
    case record_kind::peer_forgotten: return decode_numbers(body, 1).has_value();
    case record_kind::peer_identity: return decode_numbers(body, 2).has_value();
    case record_kind::founding: return survives_a_round(body, decode_founding);
    case record_kind::group_created:
      return survives_a_round(
        body, [&](auto bytes) { return decode_group_descriptor(group, uid, bytes); });
    case record_kind::group_deleted:
      return survives_a_round(body,
                              [&](auto bytes) { return decode_group_tombstone(group, bytes); });
    case record_kind::snapshot_mark:
    case record_kind::small_snapshot: {
      const bool has_bytes = kind == record_kind::small_snapshot;
      return survives_a_round(body, [&](std::span<const std::byte> bytes) {
        const auto owner = std::make_shared<fuzz_bytes>(bytes.begin(), bytes.end());
        return decode_snapshot_record(*owner, has_bytes, owner);
      });
    }
    case record_kind::checkpoint:
      if (!group)
        return decode_numbers(body, 1).has_value();
      return survives_a_round(
        body, [&](auto bytes) { return decode_group_checkpoint(group, uid, bytes); });
  }
  return false;
}

} // namespace

namespace caucus::testing {

void check_batch_header(fuzz_bytes bytes, bool is_mended) {
  const batch_place place{fuzz_directory, 3, 4096};
  if (is_mended && bytes.size() >= batch_header_bytes) {
    put(bytes, 0, uint32_t{0x54414243});
    put(bytes, batch_header_bytes - 4, batch_checksum(bytes, place));
  }
  const auto header = decode_batch_header(bytes, place);
  if (!header)
    return;
  require(may_begin_batch(bytes));
  fuzz_bytes again(batch_header_bytes);
  encode(*header, place, again);
  require(is_equal(again, std::span{bytes}.first(batch_header_bytes)));
  require(!decode_batch_header(bytes, {fuzz_directory, 3, 4104}));
  require(!decode_batch_header(without_last_byte(again), place));
}

void check_record_header(fuzz_bytes bytes, bool is_mended) {
  if (is_mended && bytes.size() >= record_header_bytes)
    put(bytes, 0, crc32c(std::span{bytes}.subspan(4, record_header_bytes - 4)));
  const auto header = decode_record_header(bytes);
  if (!header)
    return;
  fuzz_bytes again(record_header_bytes);
  encode(*header, again);
  require(is_equal(again, std::span{bytes}.first(record_header_bytes)));
  require(!decode_record_header(without_last_byte(again)));
  require(is_readable(header->kind) == (to_string(header->kind) != "unknown"));
}

void check_segment_header(fuzz_bytes bytes, bool is_mended) {
  const std::string text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  if (is_mended && bytes.size() >= segment_header_used) {
    put(bytes, 0, uint64_t{0x4c57737563756143});
    put(bytes, segment_header_used - 4, crc32c(std::span{bytes}.first(segment_header_used - 4)));
  }
  if (const auto sequence = parse_segment_name(text))
    require(segment_name(*sequence) == text && !is_unfinished_segment_name(text));
  const auto header = decode_segment_header(bytes);
  if (!header)
    return;
  const auto again = encode(*header);
  require(decode_segment_header(again).ok() && *decode_segment_header(again) == *header);
  require(!decode_segment_header(without_last_byte(again)));
  require(parse_segment_name(segment_name(header->sequence)).value_or(0) == header->sequence);
  require(is_unfinished_segment_name(unfinished_segment_name(header->sequence | 1)));
}

/// A survey and a start agree on whether a body means something.
void check_body(std::span<const std::byte> bytes) {
  if (bytes.empty())
    return;
  record_header header;
  header.kind = static_cast<record_kind>(static_cast<uint8_t>(bytes[0]) % 14);
  header.group = group_id{static_cast<uint8_t>(bytes[0]) / 14 % 2u};
  header.uid = replica_uid{7};
  const auto body = bytes.subspan(1);
  require(decodes(header.kind, header.group, body) == find_flaw(header, body).empty());
}

} // namespace caucus::testing
