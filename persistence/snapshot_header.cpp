#include "persistence/snapshot_header.hpp"

#include "base/assert.hpp"
#include "base/crc32c.hpp"
#include "membership/configuration_codec.hpp"

#include <algorithm>

namespace caucus::persistence {

namespace {

constexpr uint64_t magic = 0x4e53737563756143; // "CaucusSN"
constexpr size_t fixed_bytes = 80;
constexpr size_t checksum_bytes = 4;

constexpr size_t name_bytes_max = 255;
constexpr uint32_t nameless_version = 1;

constexpr size_t header_bytes(size_t variable_bytes) {
  return (fixed_bytes + variable_bytes + checksum_bytes + 7) & ~size_t{7};
}

bool is_chunk_size(uint32_t bytes) {
  return bytes >= snapshot_chunk_bytes_min && bytes <= snapshot_chunk_bytes_max;
}

error malformed(std::string what) { return {errc::malformed, std::move(what)}; }

bool is_zero(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte x) { return x == std::byte{0}; });
}

/// What the checksum has vouched for; still, only what can be is believed.
result<snapshot_header> decode_fields(byte_reader& in, uint32_t version) {
  snapshot_header header;
  header.cluster = cluster_id{in.u64()};
  header.group = group_id{in.u64()};
  header.uid = snapshot_uid{in.u64()};
  header.at.last.index = index_t{in.u64()};
  header.at.last.term = term_t{in.u64()};
  header.wall_ns = in.i64();
  header.at.members.id = index_t{in.u64()};
  header.chunk_bytes = in.u32();
  const auto configuration_bytes = in.u32();
  auto members = membership::decode_payload(in.bytes(configuration_bytes));
  if (!in.ok() || !members)
    return malformed("the header's configuration does not decode");
  if (version != nameless_version) {
    const auto name = in.bytes(in.u8());
    if (!in.ok() || name.empty())
      return malformed("the header's name does not decode");
    header.group_name.assign(reinterpret_cast<const char*>(name.data()), name.size());
  }
  if (in.remaining() >= 8 || !is_zero(in.bytes(in.remaining())))
    return malformed("the header has unknown fields");
  if (!header.at.last.index || !header.at.last.term || header.at.members.id > header.at.last.index)
    return malformed("the header's boundary can't be");
  if (!is_chunk_size(header.chunk_bytes))
    return malformed("the header says that chunks have " + std::to_string(header.chunk_bytes)
                     + " bytes");
  header.at.members.members =
    std::make_shared<const membership::configuration>(*std::move(members));
  return header;
}

} // namespace

std::vector<std::byte> encode(const snapshot_header& header) {
  CAUCUS_ASSERT(header.at.members.members != nullptr);
  CAUCUS_ASSERT(membership::find_flaw(*header.at.members.members).empty());
  CAUCUS_ASSERT(header.at.last.index && header.at.last.term);
  CAUCUS_ASSERT(header.at.members.id <= header.at.last.index);
  CAUCUS_ASSERT(is_chunk_size(header.chunk_bytes));
  const auto members = membership::encode_payload(*header.at.members.members);
  const auto& name = header.group_name;
  CAUCUS_ASSERT(name.size() <= name_bytes_max);
  const auto size = header_bytes(members.size() + (name.empty() ? 0 : 1 + name.size()));
  CAUCUS_ASSERT(size <= snapshot_header_bytes_max);
  std::vector<std::byte> bytes;
  bytes.reserve(size);
  byte_writer out{bytes};
  out.u64(magic);
  out.u32(name.empty() ? nameless_version : snapshot_format_version);
  out.u32(static_cast<uint32_t>(size));
  out.u64(header.cluster.value());
  out.u64(header.group.value());
  out.u64(header.uid.value());
  out.u64(header.at.last.index.value());
  out.u64(header.at.last.term.value());
  out.i64(header.wall_ns);
  out.u64(header.at.members.id.value());
  out.u32(header.chunk_bytes);
  out.u32(static_cast<uint32_t>(members.size()));
  out.bytes(members);
  if (!name.empty()) {
    out.u8(static_cast<uint8_t>(name.size()));
    out.bytes(std::as_bytes(std::span{name}));
  }
  bytes.resize(size - checksum_bytes);
  out.u32(crc32c(bytes));
  return bytes;
}

std::optional<size_t> snapshot_header_bytes(std::span<const std::byte> head) {
  byte_reader in{head.first(snapshot_header_head_bytes)};
  const bool is_snapshot = in.u64() == magic;
  in.u32(); // The format: only the checksum makes it believable.
  const auto size = in.u32();
  if (!is_snapshot || size < snapshot_header_head_bytes + checksum_bytes || size % 8 != 0
      || size > snapshot_header_bytes_max)
    return std::nullopt;
  return size;
}

result<snapshot_header> decode_snapshot_header(std::span<const std::byte> bytes) {
  const auto size = snapshot_header_bytes(bytes);
  CAUCUS_ASSERT(size && bytes.size() == *size);
  const auto covered = bytes.first(*size - checksum_bytes);
  byte_reader sum{bytes.last(checksum_bytes)};
  if (sum.u32() != crc32c(covered))
    return malformed("the header's checksum is wrong");
  byte_reader in{covered};
  in.bytes(sizeof magic);
  const auto version = in.u32();
  if (version < nameless_version || version > snapshot_format_version)
    return error{errc::version_mismatch,
                 "it has format " + std::to_string(version) + ", this build reads format "
                   + std::to_string(snapshot_format_version) + " and below; start the newer build"};
  in.u32(); // Its own size.
  return decode_fields(in, version);
}

} // namespace caucus::persistence
