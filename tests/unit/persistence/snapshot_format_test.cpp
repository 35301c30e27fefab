#include "base/byte_io.hpp"
#include "base/crc32c.hpp"
#include "tests/unit/persistence/snapshot_fixture.hpp"

#include <fstream>

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
  std::ifstream document{std::string{CAUCUS_SOURCE_DIR} + "/docs/snapshot_format.md"};
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

snapshot_bytes unhex(std::string_view text) {
  snapshot_bytes bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 3)
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string{text.substr(i, 2)}, nullptr, 16)));
  return bytes;
}

snapshot_bytes text_bytes(std::string_view text) {
  const auto bytes = std::as_bytes(std::span{text.data(), text.size()});
  return {bytes.begin(), bytes.end()};
}

const std::string example_content =
  "A machine's state, in the 64 bytes of a whole chunk and 16 more.";
const std::string example_rest = "They are in the ";

/// Gives the header another value at `offset`, and the checksum that goes with it.
snapshot_bytes with_field(const snapshot_header& header, size_t offset, uint64_t x, size_t size) {
  auto bytes = encode(header);
  std::memcpy(bytes.data() + offset, &x, size);
  const auto covered = bytes.size() - 4;
  const auto sum = crc32c(std::span{bytes}.first(covered));
  std::memcpy(bytes.data() + covered, &sum, sizeof sum);
  return bytes;
}

} // namespace

TEST_SUITE("persistence/snapshot_format") {

  TEST_CASE("the worked example of the document is what the writer writes, and is read back") {
    const auto content = text_bytes(example_content + example_rest);
    const auto file = encoded_snapshot(header_at(5), content);
    CHECK(hex(file) == documented("snapshot"));
    const auto read = read_bytes(header_at(5).name(), unhex(documented("snapshot")));
    REQUIRE(read.ok());
    CHECK(*read == content);
    auto named = header_at(5);
    named.group_name = "ab";
    CHECK(hex(encode(named)) == documented("named"));
  }

  TEST_CASE("a header decodes to what was encoded, members included (N-13)") {
    auto header = header_at(~uint64_t{0} - 1);
    membership::configuration members;
    members.voters = {node_id{1}, node_id{3}};
    members.outgoing = {node_id{2}};
    members.learners = {node_id{7}};
    members.learners_next = {node_id{2}};
    members.staging = {node_id{7}};
    members.auto_leave = true;
    for (uint64_t id : {1, 2, 3, 7})
      members.addresses[node_id{id}] = {std::string(id * 20, 'h'), 7000};
    header.at.members = {index_t{77}, std::make_shared<const membership::configuration>(members)};
    header.wall_ns = -5;
    header.chunk_bytes = snapshot_chunk_bytes_max;
    const auto bytes = encode(header);
    CHECK(snapshot_header_bytes(bytes) == bytes.size());
    const auto decoded = decode_snapshot_header(bytes);
    REQUIRE(decoded.ok());
    CHECK(decoded->identity() == header.identity());
    CHECK(decoded->at.members.id == index_t{77});
    CHECK(*decoded->at.members.members == members);
    CHECK(decoded->wall_ns == -5);
    CHECK(decoded->chunk_bytes == header.chunk_bytes);
    CHECK(encode(*decoded) == bytes);
  }

  TEST_CASE("the largest configuration fits into a header") {
    auto header = header_at(1000);
    membership::configuration members;
    for (uint64_t id = 1; id <= membership::members_max; ++id) {
      members.voters.insert(node_id{id});
      members.outgoing.insert(node_id{id});
      members.addresses[node_id{id}] = {std::string(membership::host_bytes_max, 'h'), 7000};
    }
    header.at.members.members = std::make_shared<const membership::configuration>(members);
    const auto bytes = encode(header);
    CHECK(bytes.size() > 32 << 10);
    CHECK(*decode_snapshot_header(bytes)->at.members.members == members);
  }

  TEST_CASE("a newer format is refused with both versions, also a longer header") {
    const auto bytes = with_field(header_at(5), 8, 3, 4);
    const auto refused = decode_snapshot_header(bytes);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.reason().code == errc::version_mismatch);
    CHECK(says(refused.reason(), "format 3"));
    CHECK(says(refused.reason(), "format 2"));
  }

  TEST_CASE("a header has its group's name, and one of format 1 is read and written without") {
    auto header = header_at(5);
    CHECK(encode(header)[8] == std::byte{1});
    CHECK(decode_snapshot_header(encode(header))->group_name.empty());
    for (const auto& name : {std::string{"a"}, std::string(255, 'n')}) {
      header.group_name = name;
      const auto bytes = encode(header);
      CHECK(bytes[8] == std::byte{2});
      const auto decoded = decode_snapshot_header(bytes);
      REQUIRE(decoded.ok());
      CHECK(decoded->group_name == name);
      CHECK(encode(*decoded) == bytes);
    }
    header.group_name = "counter";
    for (const uint64_t size : {0, 6, 255}) { // No name, half of one, more than there is.
      CAPTURE(size);
      const auto refused = decode_snapshot_header(with_field(header, 80 + 45, size, 1));
      REQUIRE_FALSE(refused.ok());
      CHECK(refused.reason().code == errc::malformed);
    }
  }

  TEST_CASE("a header whose checksum is right is refused for fields that can't be") {
    const struct {
      size_t offset;
      uint64_t x;
      size_t size;
    } wrong[] = {
      {40, 0, 8},                            // No last index.
      {48, 0, 8},                            // No last term.
      {64, 6, 8},                            // Members from behind the boundary.
      {72, snapshot_chunk_bytes_min - 1, 4}, // A chunk too small
      {72, snapshot_chunk_bytes_max + 1, 4}, // and too large: no memory for it.
      {76, 0, 4},                            // No configuration.
      {76, ~uint32_t{0}, 4},                 // More than there is.
      {80, 9, 1},                            // A configuration of another version.
      {130, 1, 1},                           // Something behind the configuration.
    };
    for (const auto& field : wrong) {
      CAPTURE(field.offset);
      CAPTURE(field.x);
      const auto refused =
        decode_snapshot_header(with_field(header_at(5), field.offset, field.x, field.size));
      REQUIRE_FALSE(refused.ok());
      CHECK(refused.reason().code == errc::malformed);
    }
  }

  TEST_CASE("a size that no header has is refused before memory is taken") {
    auto bytes = encode(header_at(5));
    for (const uint32_t size : {0U, 19U, 20U, uint32_t{snapshot_header_bytes_max} + 8, ~0U}) {
      std::memcpy(bytes.data() + 12, &size, sizeof size);
      CHECK_FALSE(snapshot_header_bytes(bytes));
    }
  }

  TEST_CASE("header and file size determine each part's place, and sizes between fit none") {
    const auto encoded = encode(header_at(5));
    size_t fitting = 0;
    for (uint64_t content = 0; content <= 200; ++content) {
      const auto layout = snapshot_layout::of_content(encoded, content);
      const auto again = snapshot_layout::of_file(encoded, layout.file_bytes());
      REQUIRE(again);
      CHECK(again->content_bytes() == content);
      CHECK(again->chunks() == (content + 63) / 64);
      CHECK(again->chunk_offset(0) == encoded.size());
      CHECK(again->chunk_offset(again->chunks()) == again->trailer_offset());
    }
    const auto largest = snapshot_layout::of_content(encoded, 200).file_bytes();
    for (uint64_t size = 0; size <= largest; ++size)
      fitting += snapshot_layout::of_file(encoded, size) ? 1 : 0;
    CHECK(fitting == 201);
    CHECK_FALSE(snapshot_layout::of_file(encoded, ~uint64_t{0}));
  }

  TEST_CASE("snapshot names are spelled in one way only") {
    const snapshot_name name{group_id{0xabc}, {index_t{0x1f}, term_t{2}}};
    const std::string text = "snap-0000000000000abc-0000000000000002-000000000000001f";
    CHECK(file_name(name) == text);
    CHECK(parse_snapshot_name(text) == name);
    const auto unfinished = unfinished_file_name(name, snapshot_uid{0x51});
    CHECK(unfinished == text + "-0000000000000051.tmp");
    CHECK(is_unfinished_snapshot_name(unfinished));
    CHECK_FALSE(parse_snapshot_name(unfinished));
    for (const auto* other :
         {"snap-0000000000000ABC-0000000000000002-000000000000001f", "snap-abc-2-1f",
          "snap_0000000000000abc-0000000000000002-000000000000001f",
          "snap-0000000000000abc-0000000000000002-00000000000000+f", "lock", "",
          "wal-0000000000000001.log"}) {
      CHECK_FALSE(parse_snapshot_name(other));
      CHECK_FALSE(is_unfinished_snapshot_name(other));
    }
  }

} // TEST_SUITE
