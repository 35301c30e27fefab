#include "persistence/batch_header.hpp"

#include "base/assert.hpp"
#include "base/byte_io.hpp"
#include "base/crc32c.hpp"

#include <algorithm>
#include <array>

namespace caucus::persistence {

namespace {

constexpr uint32_t magic = 0x54414243; // "CBAT"
constexpr size_t number_offset = 8;
constexpr size_t bytes_offset = 32;
constexpr size_t checksum_offset = batch_header_bytes - 4;

uint32_t checksum(std::span<const std::byte> header, const batch_place& place) {
  const std::array<uint64_t, 3> where{place.directory.value(), place.segment, place.offset};
  return crc32c(header.first(checksum_offset), crc32c(std::as_bytes(std::span{where})));
}

template <class T>
void put(std::span<std::byte> into, size_t offset, T x) {
  std::memcpy(into.data() + offset, &x, sizeof x);
}

} // namespace

void encode(const batch_header& header, const batch_place& place, std::span<std::byte> into) {
  CAUCUS_ASSERT(into.size() >= batch_header_bytes);
  CAUCUS_ASSERT(header.durable_upto < header.number);
  put(into, 0, magic);
  put(into, 4, header.body_crc);
  put(into, number_offset, header.number);
  put(into, 16, header.epoch.value());
  put(into, 24, header.durable_upto);
  put(into, bytes_offset, header.bytes);
  put(into, 36, header.records);
  put(into, 40, uint32_t{0});
  put(into, checksum_offset, checksum(into, place));
}

bool may_begin_batch(std::span<const std::byte> bytes) noexcept {
  uint32_t begin = 0;
  if (bytes.size() >= sizeof begin)
    std::memcpy(&begin, bytes.data(), sizeof begin);
  return begin == magic;
}

std::optional<batch_header> decode_batch_header(std::span<const std::byte> bytes,
                                                const batch_place& place) {
  if (bytes.size() < batch_header_bytes)
    return std::nullopt;
  byte_reader in{bytes.first(batch_header_bytes)};
  if (in.u32() != magic)
    return std::nullopt;
  batch_header header;
  header.body_crc = in.u32();
  header.number = in.u64();
  header.epoch = boot_count{in.u64()};
  header.durable_upto = in.u64();
  header.bytes = in.u32();
  header.records = in.u32();
  const auto zero = in.u32();
  if (in.u32() != checksum(bytes, place))
    return std::nullopt;
  // A header that we wrote has these; one that only looks so must not lead a reader astray.
  if (zero != 0 || header.bytes < batch_header_bytes || header.bytes % batch_alignment != 0
      || header.durable_upto >= header.number)
    return std::nullopt;
  return header;
}

std::optional<uint64_t> find_torn_batch(std::span<const std::byte> bytes, const batch_place& place,
                                        uint64_t number, boot_count epoch) {
  if (bytes.size() < batch_header_bytes)
    return std::nullopt;
  std::array<std::byte, batch_header_bytes> mended{};
  std::copy_n(bytes.begin(), mended.size(), mended.begin());
  for (size_t bit = 0; bit < 8 * mended.size(); ++bit) {
    const auto flip = std::byte{1} << (bit % 8);
    mended[bit / 8] ^= flip;
    const auto header = decode_batch_header(mended, place);
    if (header && header->number == number && header->epoch >= epoch)
      return header->bytes;
    mended[bit / 8] ^= flip;
  }
  byte_reader in{bytes.subspan(number_offset)};
  const bool has_number = in.u64() == number;
  const bool has_epoch = boot_count{in.u64()} == epoch;
  if (!has_number || !(has_epoch || may_begin_batch(bytes)))
    return std::nullopt;
  byte_reader size{bytes.subspan(bytes_offset)};
  return std::max<uint64_t>(padded(size.u32()), batch_header_bytes);
}

} // namespace caucus::persistence
