#include "transport/wire_format.hpp"

#include "base/crc32c.hpp"
#include "message_samples.hpp"
#include "transport/bulk_codec.hpp"
#include "transport/hello.hpp"
#include "transport/message_encoder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace caucus::transport {

namespace {

using header_bytes = std::array<std::byte, frame_header_bytes>;

header_bytes header_of(const frame& x) {
  header_bytes bytes;
  std::copy_n(x.data.get(), bytes.size(), bytes.begin());
  return bytes;
}

std::string hex(std::span<const std::byte> bytes) {
  std::string text;
  for (auto b : bytes) {
    char two[4];
    std::snprintf(two, sizeof two, "%02x ", static_cast<unsigned>(b));
    text += two;
  }
  return text;
}

/// The bytes of the example `name` in docs/wire_format.md: pairs of hex digits up to the comment.
std::string documented(const std::string& name) {
  const auto path = std::filesystem::path{CAUCUS_SOURCE_DIR} / "docs/wire_format.md";
  std::ifstream file{path};
  REQUIRE(file.is_open());
  std::string line;
  while (std::getline(file, line) && line != "```hex " + name)
    ;
  std::string text;
  while (std::getline(file, line) && line != "```") {
    for (size_t at = 0; at + 2 <= line.size() && std::isxdigit(static_cast<unsigned char>(line[at]))
                        && std::isxdigit(static_cast<unsigned char>(line[at + 1]));
         at += 3)
      text += line.substr(at, 2) + " ";
  }
  return text;
}

frame sample_messages() {
  auto e = std::make_shared<raft::entry>();
  e->id = {index_t{42}, term_t{5}};
  e->wall_ns = 1'700'000'000'000'000'000;
  e->body = {raft::entry_kind::command, session_id{7}, sequence_t{3}, sequence_t{2},
             shared_bytes::copy_of("add 1")};
  const std::vector<routed_message> messages{
    {group_id{0xcafe}, raft::append_entries{term_t{5}, {index_t{41}, term_t{4}}, index_t{40}, {e}}},
    {group_id{0xcafe}, raft::heartbeat{term_t{5}, index_t{40}, {}}},
    {group_id{0xbeef}, raft::heartbeat{term_t{300}, index_t{9}, read_context{1}}}};
  return std::move(encode_messages(messages, 1 << 20).front());
}

/// A header with the right checksum whatever its fields are.
header_bytes forged(uint32_t length, uint8_t kind, uint8_t flags = 0) {
  auto bytes = header_of(make_keep_alive());
  std::memcpy(bytes.data(), &length, sizeof length);
  bytes[8] = static_cast<std::byte>(kind);
  bytes[9] = static_cast<std::byte>(flags);
  const auto crc = crc32c(std::span{bytes}.first(12));
  std::memcpy(bytes.data() + 12, &crc, sizeof crc);
  return bytes;
}

} // namespace

TEST_SUITE("transport/wire_format") {

  TEST_CASE("version 1 is what the document says, byte by byte") {
    hello greeting;
    greeting.from = {cluster_id{0x0123456789abcdef}, node_id{1}, directory_id{0x1122334455667788},
                     boot_count{3}, membership::founded_by({node_id{1}, node_id{2}})};
    greeting.to = node_id{2};
    CHECK(hex(encode(greeting).bytes()) == documented("hello"));
    hello_reply reply;
    reply.refused = errc::identity_mismatch;
    reply.reason = "no";
    reply.from = {cluster_id{0x0123456789abcdef}, node_id{2}, directory_id{0x99}, boot_count{1}};
    CHECK(hex(encode(reply).bytes()) == documented("hello_reply"));
    CHECK(hex(sample_messages().bytes()) == documented("messages"));
    CHECK(hex(make_keep_alive().bytes()) == documented("keep_alive"));
    const bulk_message chunk{group_id{0xcafe}, transfer_id{0x300000001},
                             snapshot_chunk{262144, shared_bytes::copy_of("state")}};
    CHECK(hex(encode(chunk).bytes()) == documented("bulk"));
  }

  TEST_CASE("a header says what follows") {
    const auto x = sample_messages();
    const auto header = parse_header(header_of(x), 1 << 20);
    REQUIRE(header.ok());
    CHECK(header->length == x.size - frame_header_bytes);
    CHECK(header->kind == frame_kind::messages);
    CHECK(is_intact(*header, x.bytes().subspan(frame_header_bytes)));
    CHECK_FALSE(is_intact(*header, x.bytes().subspan(frame_header_bytes + 1)));
  }

  TEST_CASE("lengths beyond the limit are refused, and so are bodies where none belongs") {
    for (uint32_t length : {1u, 1024u})
      CHECK(parse_header(forged(length, 3), 1024).ok());
    for (uint32_t length : {0u, 1025u, 1u << 31, UINT32_MAX}) {
      const auto header = parse_header(forged(length, 3), 1024);
      REQUIRE_FALSE(header.ok());
      CHECK(header.reason().code == errc::malformed);
      CHECK(header.reason().what.find(std::to_string(length)) != std::string::npos);
    }
    CHECK(parse_header(forged(0, 4), 1024).ok());
    CHECK_FALSE(parse_header(forged(1, 4), 1024).ok());
  }

  TEST_CASE("unknown kinds and flags are refused") {
    for (int kind = 0; kind < 256; ++kind) {
      const auto header = parse_header(forged(kind == 4 ? 0 : 1, static_cast<uint8_t>(kind)), 1024);
      CHECK(header.ok() == ((kind >= 1 && kind <= 4) || kind == 16));
    }
    CHECK_FALSE(parse_header(forged(1, 3, 1), 1024).ok());
  }

  TEST_CASE("foreign bytes are refused with what they look like") {
    const std::string_view request = "GET / HTTP/1.1\r\n";
    header_bytes bytes;
    std::memcpy(bytes.data(), request.data(), bytes.size());
    const auto header = parse_header(bytes, 1024);
    REQUIRE_FALSE(header.ok());
    CHECK(header.reason().what.find("GET / HTTP/1.1..") != std::string::npos);
  }
}

} // namespace caucus::transport
