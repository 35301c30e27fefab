#pragma once

#include "persistence/snapshot_header.hpp"

namespace caucus::persistence {

/// Where the parts of one snapshot file are. Header and file size determine it, so that no length
/// is ever taken from a part itself.
///
///     | header | chunk 0 | chunk 1 | ... | last chunk | trailer |
///
///     chunk    0       4     8       12       16
///              | "SCHK"| CRC | bytes | number | content ... |      all but the last are full
///     trailer  0       4              8               16       24     28    32
///              | "STRL"| content's CRC| content bytes | chunks | zero | CRC |
///
/// The CRCs of chunk ([8, end)) and trailer ([0, 28)) go on from the header's, so a part counts
/// only in the snapshot that it was written for, and at its place (RELIABILITY N-03).
class snapshot_layout {
public:
  static constexpr size_t chunk_header_bytes = 16;
  static constexpr size_t trailer_bytes = 32;
  static constexpr uint64_t chunks_max = uint64_t{1} << 32;

  /// `encoded` is the whole header, already checked. Nothing if no snapshot with it has that size.
  static std::optional<snapshot_layout> of_file(std::span<const std::byte> encoded,
                                                uint64_t file_bytes);
  /// The other way round. Precondition: at most `chunks_max` chunks.
  static snapshot_layout of_content(std::span<const std::byte> encoded, uint64_t content_bytes);

  [[nodiscard]] uint64_t chunks() const noexcept { return chunks_; }
  [[nodiscard]] uint64_t content_bytes() const noexcept { return content_bytes_; }
  [[nodiscard]] uint64_t file_bytes() const noexcept { return trailer_offset() + trailer_bytes; }
  [[nodiscard]] uint64_t trailer_offset() const noexcept {
    return header_bytes_ + chunks_ * chunk_header_bytes + content_bytes_;
  }
  /// The trailer's for the number behind the last.
  [[nodiscard]] uint64_t chunk_offset(uint64_t number) const noexcept;
  /// With its header. Precondition: `number < chunks()`.
  [[nodiscard]] size_t chunk_size(uint64_t number) const noexcept;

  // What is wrong with a part, or nothing. `part` has the size that the layout says.

  [[nodiscard]] std::string find_chunk_flaw(uint64_t number, std::span<const std::byte> part) const;
  [[nodiscard]] std::string find_trailer_flaw(std::span<const std::byte> part) const;

  /// Of a sound trailer.
  static uint32_t content_checksum(std::span<const std::byte> trailer);

  /// Fills in the header of the chunk whose content is already in `part`, behind room for it.
  void seal_chunk(uint64_t number, std::span<std::byte> part) const;
  [[nodiscard]] std::vector<std::byte> make_trailer(uint32_t content_checksum) const;

private:
  explicit snapshot_layout(std::span<const std::byte> encoded);

  uint64_t header_bytes_;
  uint32_t header_checksum_;
  uint32_t chunk_bytes_;
  uint64_t content_bytes_ = 0;
  uint64_t chunks_ = 0;
};

} // namespace caucus::persistence
