#include "persistence/segment_header.hpp"

#include "base/byte_io.hpp"
#include "base/crc32c.hpp"

#include <algorithm>
#include <charconv>

namespace caucus::persistence {

namespace {

constexpr uint64_t magic = 0x4c57737563756143; // "CaucusWL"
constexpr size_t checksum_offset = segment_header_used - 4;

constexpr std::string_view name_prefix = "wal-";
constexpr std::string_view name_suffix = ".log";
constexpr std::string_view unfinished_suffix = ".tmp";

} // namespace

std::array<std::byte, segment_header_used> encode(const segment_header& header) {
  std::vector<std::byte> bytes;
  bytes.reserve(segment_header_used);
  byte_writer out{bytes};
  out.u64(magic);
  out.u32(wal_format_version);
  out.u32(static_cast<uint32_t>(segment_header_bytes));
  out.u64(header.identity.cluster.value());
  out.u64(header.identity.node.value());
  out.u64(header.directory.value());
  out.u64(header.sequence);
  out.u64(header.epoch.value());
  out.u64(header.first_batch);
  out.u64(header.oldest_segment);
  out.u64(header.recycled_from);
  bytes.resize(checksum_offset);
  out.u32(crc32c(bytes));
  std::array<std::byte, segment_header_used> fixed{};
  std::copy(bytes.begin(), bytes.end(), fixed.begin());
  return fixed;
}

result<segment_header> decode_segment_header(std::span<const std::byte> bytes) {
  if (bytes.size() < segment_header_used)
    return error{errc::malformed, "the file is shorter than a segment's header"};
  const auto used = bytes.first(segment_header_used);
  byte_reader in{used};
  byte_reader sum{used.subspan(checksum_offset)};
  if (in.u64() != magic)
    return error{errc::malformed, "it does not begin like a segment of a Caucus log"};
  if (sum.u32() != crc32c(used.first(checksum_offset)))
    return error{errc::malformed, "the segment header's checksum is wrong"};
  if (const auto version = in.u32(); version != wal_format_version)
    return error{errc::version_mismatch,
                 "it has format " + std::to_string(version) + ", this build reads format "
                   + std::to_string(wal_format_version) + " and below; start the newer build"};
  if (in.u32() != segment_header_bytes)
    return error{errc::malformed, "the segment header has an unknown size"};
  segment_header header;
  header.identity.cluster = cluster_id{in.u64()};
  header.identity.node = node_id{in.u64()};
  header.directory = directory_id{in.u64()};
  header.sequence = in.u64();
  header.epoch = boot_count{in.u64()};
  header.first_batch = in.u64();
  header.oldest_segment = in.u64();
  header.recycled_from = in.u64();
  return header;
}

std::string segment_name(uint64_t sequence) {
  std::array<char, 16> digits{};
  const auto [end, failed] =
    std::to_chars(digits.data(), digits.data() + digits.size(), sequence, 16);
  const std::string_view number{digits.data(), static_cast<size_t>(end - digits.data())};
  std::string name{name_prefix};
  name.append(digits.size() - number.size(), '0').append(number).append(name_suffix);
  return name;
}

std::string unfinished_segment_name(uint64_t sequence) {
  return segment_name(sequence).append(unfinished_suffix);
}

std::optional<uint64_t> parse_segment_name(std::string_view name) {
  if (name.size() != name_prefix.size() + 16 + name_suffix.size())
    return std::nullopt;
  const auto digits = name.substr(name_prefix.size(), 16);
  uint64_t sequence = 0;
  const auto [end, failed] =
    std::from_chars(digits.data(), digits.data() + digits.size(), sequence, 16);
  // The spelling must be the one that we write, else two names could mean one segment.
  if (failed != std::errc{} || sequence == 0 || segment_name(sequence) != name)
    return std::nullopt;
  return sequence;
}

bool is_unfinished_segment_name(std::string_view name) {
  return name.ends_with(unfinished_suffix)
         && parse_segment_name(name.substr(0, name.size() - unfinished_suffix.size()));
}

} // namespace caucus::persistence
