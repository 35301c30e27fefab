#pragma once

#include "base/ids.hpp"

#include <optional>
#include <span>

namespace caucus::persistence {

/// Where a batch stands. Part of its checksum, so that bytes that look like a batch count only
/// where they were written: not a copy inside a payload, not another directory's, not a misdirected
/// write (RELIABILITY E-13).
struct batch_place {
  directory_id directory;
  uint64_t segment = 0;
  uint64_t offset = 0;
};

/// What every batch begins with: the unit of writing, all or nothing.
///
///     0       4          8        16      24             32      36        40     44
///     | "CBAT"| body CRC | number | epoch | durable upto | bytes | records | zero | header CRC
///
/// The body's CRC32C covers [48, bytes), the header's its place and [0, 44).
struct batch_header {
  uint64_t number = 0; ///< Of the log's batches, from 1, without a gap.
  boot_count epoch;    ///< Of the writer.
  /// Every batch up to this one was known to be synced when this one was encoded. What is missing
  /// at or below it is damage, not a torn tail.
  uint64_t durable_upto = 0;
  uint32_t bytes = 0;   ///< Header and records with their padding: a multiple of 8.
  uint32_t records = 0; ///< May be 0: a start writes an empty batch.
  uint32_t body_crc = 0;

  friend bool operator==(const batch_header&, const batch_header&) = default;
};

inline constexpr size_t batch_header_bytes = 48;
/// Batches and records begin at multiples of it.
inline constexpr size_t batch_alignment = 8;

constexpr uint64_t padded(uint64_t bytes) noexcept {
  return (bytes + batch_alignment - 1) & ~uint64_t{batch_alignment - 1};
}

/// Precondition: `into` has `batch_header_bytes`.
void encode(const batch_header& header, const batch_place& place, std::span<std::byte> into);

/// Whether it is worth decoding: most places aren't.
bool may_begin_batch(std::span<const std::byte> bytes) noexcept;

/// Nothing if these bytes are not a batch header that was written at this place.
std::optional<batch_header> decode_batch_header(std::span<const std::byte> bytes,
                                                const batch_place& place);

/// The size of the batch with this number whose header these bytes are, whole, torn or with a bit
/// turned over: the number is right, and magic or epoch too, or one bit put right makes it intact.
/// Nothing if they look like something else.
std::optional<uint64_t> find_torn_batch(std::span<const std::byte> bytes, const batch_place& place,
                                        uint64_t number, boot_count epoch);

} // namespace caucus::persistence
