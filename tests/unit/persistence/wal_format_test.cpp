#include "persistence/batch_buffer.hpp"
#include "persistence/entries_codec.hpp"
#include "persistence/group_records.hpp"
#include "persistence/node_records.hpp"
#include "persistence/segment_header.hpp"
#include "tests/unit/persistence/mark_fixture.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

using namespace caucus;
using namespace caucus::testing;
using namespace caucus::persistence;

namespace {

std::string hex(std::span<const std::byte> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) {
    text += i == 0 ? "" : i % 16 == 0 ? "\n" : " ";
    text += digits[static_cast<size_t>(bytes[i]) >> 4];
    text += digits[static_cast<size_t>(bytes[i]) & 15];
  }
  return text;
}

/// The lines of the fenced block that follows `<!-- name -->` in the format's document, without
/// offsets and remarks.
std::string documented(const std::string& name) {
  std::ifstream document{std::string{CAUCUS_SOURCE_DIR} + "/docs/wal_format.md"};
  REQUIRE(document.good());
  std::string line;
  while (std::getline(document, line) && line != "<!-- " + name + " -->") {
  }
  std::getline(document, line); // The fence.
  std::string text;
  while (std::getline(document, line) && line != "```") {
    const auto begin = line.find(": ") + 2;
    const auto end = line.find("  #");
    text += (text.empty() ? "" : "\n") + line.substr(begin, end - begin);
  }
  return text;
}

raft::entry_ptr example_entry() {
  auto x = std::make_shared<raft::entry>();
  x->id = {index_t{5}, term_t{2}};
  x->wall_ns = 1'700'000'000'000'000'000;
  x->body.session = session_id{3};
  x->body.sequence = sequence_t{4};
  x->body.lowest_unanswered = sequence_t{4};
  x->body.payload = shared_bytes::copy_of("add 1");
  return x;
}

} // namespace

TEST_SUITE("persistence/wal_format") {

  TEST_CASE("the worked example of the document is what the encoder writes") {
    segment_header segment;
    segment.identity = {cluster_id{0x00c1}, node_id{1}};
    segment.directory = directory_id{0xd1};
    segment.sequence = 1;
    segment.epoch = boot_count{1};
    segment.first_batch = 1;
    CHECK(hex(encode(segment)) == documented("segment header"));

    batch_buffer batch;
    batch.add(record_kind::hard_state, group_id{0xa}, replica_uid{7},
              std::initializer_list<uint64_t>{2, 1, 4});
    const std::vector entries{example_entry()};
    batch.add_entries(group_id{0xa}, replica_uid{7}, entries);
    batch_header header;
    header.number = 2;
    header.epoch = boot_count{1};
    header.durable_upto = 1;
    CHECK(hex(batch.seal(header, {directory_id{0xd1}, 1, 4144})) == documented("batch"));

    batch_buffer first;
    first.add(record_kind::founding, {}, {},
              encode_body(membership::founded_by({node_id{1}, node_id{2}, node_id{3}})));
    CHECK(hex(first.seal(header, {}).subspan(batch_header_bytes)) == documented("founding"));
  }

  TEST_CASE("the example of a snapshot mark is what the encoder writes, and is read as meant") {
    membership::configuration members;
    members.voters = {node_id{1}};
    const auto shared = std::make_shared<const membership::configuration>(members);
    snapshot_record x;
    x.mark.snapshot.at = {{index_t{4}, term_t{2}}, {index_t{3}, shared}};
    x.mark.snapshot.wall_ns = 1'700'000'000'000'000'000;
    batch_buffer batch;
    batch.add(record_kind::snapshot_mark, group_id{0xa}, replica_uid{7}, encode_body(x));
    batch_header header;
    header.number = 3;
    header.epoch = boot_count{1};
    header.durable_upto = 2;
    CHECK(hex(batch.seal(header, {directory_id{0xd1}, 1, 4352})) == documented("mark"));
    const auto read = decode_snapshot_record(encode_body(x), false, nullptr);
    REQUIRE(read);
    CHECK(read->mark.snapshot.at.last == x.mark.snapshot.at.last);
    CHECK(*read->mark.snapshot.at.members.members == members);
    CHECK_FALSE(read->mark.begins_after.last.index);
  }

  TEST_CASE("bodies about snapshots that are cut off or go on decode to nothing") {
    const auto at = boundary(9, 2, {1, 2});
    snapshot_record small{.mark = small_mark(at, "state", boundary(5, 1))};
    group_checkpoint all{descriptor(group_a),
                         {term_t{2}, node_id{1}, index_t{3}},
                         index_t{9},
                         boundary(5, 1),
                         {mark(at).snapshot, mark(boundary(7, 2)).snapshot}};
    auto body = encode_body(snapshot_record{.restarts = true, .mark = mark(at, at)});
    CHECK(decode_snapshot_record(body, false, nullptr)->restarts);
    for (size_t size = 0; size < body.size(); ++size)
      CHECK_FALSE(decode_snapshot_record(std::span{body}.first(size), false, nullptr));
    body.push_back({});
    CHECK_FALSE(decode_snapshot_record(body, false, nullptr));
    body = encode_body(small);
    CHECK(decode_snapshot_record(body, true, nullptr)->mark.snapshot.bytes.view() == "state");
    CHECK_FALSE(decode_snapshot_record(body, false, nullptr));
    body = encode_body(all);
    REQUIRE(decode_group_checkpoint(group_a, replica_uid{7}, body));
    CHECK(decode_group_checkpoint(group_a, replica_uid{7}, body)->descriptor == all.descriptor);
    for (size_t size = 0; size < body.size(); ++size)
      CHECK_FALSE(decode_group_checkpoint(group_a, replica_uid{7}, std::span{body}.first(size)));
    std::swap(all.snapshots[0], all.snapshots[1]); // Not the newest first.
    CHECK_FALSE(decode_group_checkpoint(group_a, replica_uid{7}, encode_body(all)));
  }

  TEST_CASE("headers decode to what was encoded, and to nothing elsewhere") {
    segment_header segment;
    segment.identity = self;
    segment.directory = directory_id{9};
    segment.sequence = 0x1234567890;
    segment.epoch = boot_count{3};
    segment.first_batch = 77;
    segment.oldest_segment = 5;
    segment.recycled_from = 4;
    CHECK(*decode_segment_header(encode(segment)) == segment);

    batch_header batch;
    batch.number = 9;
    batch.epoch = boot_count{2};
    batch.durable_upto = 8;
    batch.bytes = 4096;
    batch.records = 3;
    batch.body_crc = 0x12345678;
    std::vector<std::byte> bytes(batch_header_bytes);
    const batch_place place{directory_id{1}, 2, 3};
    encode(batch, place, bytes);
    CHECK(decode_batch_header(bytes, place) == batch);
    CHECK_FALSE(decode_batch_header(bytes, {directory_id{2}, 2, 3}));
    CHECK_FALSE(decode_batch_header(bytes, {directory_id{1}, 3, 3}));
    CHECK_FALSE(decode_batch_header(bytes, {directory_id{1}, 2, 11}));
    CHECK_FALSE(decode_batch_header(std::span{bytes}.first(47), place));

    record_header record;
    record.bytes = 99;
    record.kind = record_kind::truncation;
    record.group = group_id{~uint64_t{0}};
    record.uid = replica_uid{5};
    encode(record, bytes);
    CHECK(decode_record_header(bytes) == record);
  }

  TEST_CASE(
    "descriptors, tombstones and foundings round-trip and refuse every cut and trailing byte") {
    auto group = descriptor(group_a);
    group.members.outgoing = {node_id{4}};
    group.members.learners = {node_id{5}};
    group.members.learners_next = {node_id{2}};
    group.members.auto_leave = true;
    auto body = encode_body(group);
    CHECK(decode_group_descriptor(group.group, group.uid, body) == group);
    for (size_t size = 0; size < body.size(); ++size)
      CHECK_FALSE(decode_group_descriptor(group.group, group.uid, std::span{body}.first(size)));
    body.push_back(std::byte{0});
    CHECK_FALSE(decode_group_descriptor(group.group, group.uid, body));

    const group_tombstone tombstone{group_a, 8, "name"};
    body = encode_body(tombstone);
    CHECK(decode_group_tombstone(group_a, body) == tombstone);
    for (size_t size = 0; size < body.size(); ++size)
      CHECK_FALSE(decode_group_tombstone(group_a, std::span{body}.first(size)));

    const auto founding = membership::founded_by({node_id{1}, node_id{2}});
    body = encode_body(founding);
    CHECK(decode_founding(body) == founding);
    for (size_t size = 0; size < body.size(); ++size)
      CHECK_FALSE(decode_founding(std::span{body}.first(size)));
  }

  TEST_CASE("an entries record refuses every cut") {
    batch_buffer buffer;
    buffer.add_entries(group_a, replica_uid{7}, entries(4, 6, 2).entries);
    const auto batch = buffer.seal({1, {}, 0, 0, 0, 0}, {});
    const auto record = decode_record_header(batch.subspan(batch_header_bytes));
    REQUIRE(record);
    const auto body =
      batch.subspan(batch_header_bytes + record_header_bytes, record->bytes - record_header_bytes);
    for (size_t size = 0; size <= body.size(); ++size) {
      entries_cursor cursor{body.first(size)};
      while (cursor.next()) {
      }
      CHECK(cursor.at_end() == (size == body.size()));
    }
  }

  TEST_CASE("segment names are spelled in one way only") {
    CHECK(segment_name(0x1f) == "wal-000000000000001f.log");
    CHECK(parse_segment_name("wal-000000000000001f.log") == 0x1f);
    for (const auto* other : {"wal-000000000000001F.log", "wal-1f.log", "wal-0000000000000000.log",
                              "wal-000000000000001f.log.tmp", "wal-00000000000000+f.log", "lock"})
      CHECK_FALSE(parse_segment_name(other));
    CHECK(is_unfinished_segment_name("wal-000000000000001f.log.tmp"));
    CHECK_FALSE(is_unfinished_segment_name("x.tmp"));
  }

} // TEST_SUITE
