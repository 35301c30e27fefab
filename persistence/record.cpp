#include "persistence/record.hpp"

#include "base/assert.hpp"
#include "base/byte_io.hpp"
#include "base/crc32c.hpp"

namespace caucus::persistence {

namespace {

template <class T>
void put(std::span<std::byte> into, size_t offset, T x) {
  std::memcpy(into.data() + offset, &x, sizeof x);
}

} // namespace

std::string_view to_string(record_kind kind) noexcept {
  switch (kind) {
    case record_kind::entries: return "entries";
    case record_kind::hard_state: return "hard state";
    case record_kind::truncation: return "truncation";
    case record_kind::group_created: return "group created";
    case record_kind::group_deleted: return "group deleted";
    case record_kind::peer_identity: return "peer identity";
    case record_kind::peer_forgotten: return "peer forgotten";
    case record_kind::snapshot_mark: return "snapshot mark";
    case record_kind::small_snapshot: return "small snapshot";
    case record_kind::checkpoint: return "checkpoint";
    case record_kind::moved: return "moved";
    case record_kind::founding: return "founding";
  }
  return "unknown";
}

bool is_readable(record_kind kind) noexcept {
  return kind >= record_kind::entries && kind <= record_kind::founding;
}

std::string describe_unreadable(record_kind kind) {
  return "the record is of kind " + std::to_string(static_cast<uint8_t>(kind))
         + ", which this build doesn't read (it reads 1 to 12)";
}

void encode(const record_header& header, std::span<std::byte> into) {
  CAUCUS_ASSERT(into.size() >= record_header_bytes);
  put(into, 4, header.body_crc);
  put(into, 8, header.bytes);
  put(into, 12, uint32_t{static_cast<uint8_t>(header.kind)}); // And three zeros.
  put(into, 16, header.group.value());
  put(into, 24, header.uid.value());
  put(into, 0, crc32c(into.subspan(4, record_header_bytes - 4)));
}

std::optional<record_header> decode_record_header(std::span<const std::byte> bytes) {
  if (bytes.size() < record_header_bytes)
    return std::nullopt;
  byte_reader in{bytes.first(record_header_bytes)};
  if (in.u32() != crc32c(bytes.subspan(4, record_header_bytes - 4)))
    return std::nullopt;
  record_header header;
  header.body_crc = in.u32();
  header.bytes = in.u32();
  header.kind = static_cast<record_kind>(in.u8());
  const auto zero = uint32_t{in.u8()} + in.u16();
  header.group = group_id{in.u64()};
  header.uid = replica_uid{in.u64()};
  if (zero != 0 || header.bytes < record_header_bytes)
    return std::nullopt;
  return header;
}

} // namespace caucus::persistence
