#include "persistence/snapshot_layout.hpp"

#include "base/assert.hpp"
#include "base/byte_io.hpp"
#include "base/crc32c.hpp"

#include <algorithm>
#include <cstring>

namespace caucus::persistence {

namespace {

constexpr uint32_t chunk_magic = 0x4b484353;   // "SCHK"
constexpr uint32_t trailer_magic = 0x4c525453; // "STRL"
constexpr size_t chunk_bytes_offset = 72;      // In the header.

uint32_t u32_at(std::span<const std::byte> part, size_t offset) {
  return byte_reader{part.subspan(offset)}.u32();
}

uint64_t u64_at(std::span<const std::byte> part, size_t offset) {
  return byte_reader{part.subspan(offset)}.u64();
}

constexpr uint64_t rounded_up(uint64_t x, uint64_t divisor) {
  return x / divisor + (x % divisor != 0 ? 1 : 0);
}

} // namespace

snapshot_layout::snapshot_layout(std::span<const std::byte> encoded)
  : header_bytes_{encoded.size()},
    header_checksum_{u32_at(encoded, encoded.size() - 4)},
    chunk_bytes_{u32_at(encoded, chunk_bytes_offset)} {}

std::optional<snapshot_layout> snapshot_layout::of_file(std::span<const std::byte> encoded,
                                                        uint64_t file_bytes) {
  snapshot_layout x{encoded};
  if (file_bytes < x.header_bytes_ + trailer_bytes)
    return std::nullopt;
  const auto between = file_bytes - x.header_bytes_ - trailer_bytes;
  const auto full = chunk_header_bytes + uint64_t{x.chunk_bytes_};
  x.chunks_ = rounded_up(between, full);
  const auto last = between % full;
  if (x.chunks_ > chunks_max || (last != 0 && last <= chunk_header_bytes))
    return std::nullopt;
  x.content_bytes_ = between - x.chunks_ * chunk_header_bytes;
  return x;
}

snapshot_layout snapshot_layout::of_content(std::span<const std::byte> encoded,
                                            uint64_t content_bytes) {
  snapshot_layout x{encoded};
  x.content_bytes_ = content_bytes;
  x.chunks_ = rounded_up(content_bytes, x.chunk_bytes_);
  CAUCUS_ASSERT(x.chunks_ <= chunks_max);
  return x;
}

uint64_t snapshot_layout::chunk_offset(uint64_t number) const noexcept {
  if (number >= chunks_)
    return trailer_offset();
  return header_bytes_ + number * (chunk_header_bytes + uint64_t{chunk_bytes_});
}

size_t snapshot_layout::chunk_size(uint64_t number) const noexcept {
  return static_cast<size_t>(chunk_offset(number + 1) - chunk_offset(number));
}

std::string snapshot_layout::find_chunk_flaw(uint64_t number,
                                             std::span<const std::byte> part) const {
  CAUCUS_ASSERT(number < chunks_ && part.size() == chunk_size(number));
  const auto name = "chunk " + std::to_string(number);
  if (u32_at(part, 0) != chunk_magic)
    return name + " does not begin like one";
  // Also what has another length or number: the same bytes at another place, or of another file.
  if (u32_at(part, 8) != part.size() - chunk_header_bytes)
    return name + " has another length";
  if (u32_at(part, 12) != static_cast<uint32_t>(number))
    return name + " has the number " + std::to_string(u32_at(part, 12));
  if (u32_at(part, 4) != crc32c(part.subspan(8), header_checksum_))
    return name + " has a wrong checksum: it is damaged, or another snapshot's";
  return {};
}

std::string snapshot_layout::find_trailer_flaw(std::span<const std::byte> part) const {
  CAUCUS_ASSERT(part.size() == trailer_bytes);
  if (u32_at(part, 0) != trailer_magic)
    return "the trailer does not begin like one";
  if (u32_at(part, 28) != crc32c(part.first(28), header_checksum_))
    return "the trailer has a wrong checksum: it is damaged, or another snapshot's";
  if (u64_at(part, 8) != content_bytes_ || u64_at(part, 16) != chunks_)
    return "the trailer says that there are " + std::to_string(u64_at(part, 8)) + " bytes in "
           + std::to_string(u64_at(part, 16)) + " chunks, not " + std::to_string(content_bytes_)
           + " in " + std::to_string(chunks_);
  if (u32_at(part, 24) != 0)
    return "the trailer has unknown fields";
  return {};
}

uint32_t snapshot_layout::content_checksum(std::span<const std::byte> trailer) {
  return u32_at(trailer, 4);
}

void snapshot_layout::seal_chunk(uint64_t number, std::span<std::byte> part) const {
  CAUCUS_ASSERT(number < chunks_ && part.size() == chunk_size(number));
  std::vector<std::byte> head;
  byte_writer out{head};
  out.numbers(chunk_magic, uint32_t{0}, static_cast<uint32_t>(part.size() - chunk_header_bytes),
              static_cast<uint32_t>(number));
  std::copy(head.begin(), head.end(), part.begin());
  const auto checksum = crc32c(part.subspan(8), header_checksum_);
  std::memcpy(part.data() + 4, &checksum, sizeof checksum);
}

std::vector<std::byte> snapshot_layout::make_trailer(uint32_t content_checksum) const {
  std::vector<std::byte> part;
  byte_writer out{part};
  out.numbers(trailer_magic, content_checksum, content_bytes_, chunks_, uint32_t{0});
  out.u32(crc32c(part, header_checksum_));
  return part;
}

} // namespace caucus::persistence
