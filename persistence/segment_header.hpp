#pragma once

#include "persistence/wal_identity.hpp"

#include "base/result.hpp"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace caucus::persistence {

/// The newest disk format that this build writes and reads (docs/wal_format.md).
inline constexpr uint32_t wal_format_version = 1;

/// What a segment file begins with.
///
///     0        8        12       16       24     32         40        48      56           64
///     | magic  | format | header | cluster| node | directory| sequence| epoch | first batch|
///     oldest | "CaucusWL"      |  bytes |        |      |          |         |       | | segment
///     72: recycled from; zeros; 124: CRC32C of [0, 124)   zeros up to 4096, where batches begin
///
/// Magic, format and checksum stay where they are in every version, so that a refusal of a newer
/// one can name it.
struct segment_header {
  wal_identity identity;
  directory_id directory;
  uint64_t sequence = 0;       ///< The file's number: its name says the same.
  boot_count epoch;            ///< Of the writer that made the file.
  uint64_t first_batch = 0;    ///< The number of the first batch in it.
  uint64_t oldest_segment = 1; ///< Files below were not needed any more when this one was made.
  /// The segment that the file was before, so that behind the log's end may be what it held then;
  /// 0: it was made new, of zeros.
  uint64_t recycled_from = 0;

  friend bool operator==(const segment_header&, const segment_header&) = default;
};

inline constexpr uint64_t segment_header_bytes = 4096;
inline constexpr size_t segment_header_used = 128;

std::array<std::byte, segment_header_used> encode(const segment_header& header);

/// `version_mismatch` names both versions; `malformed` says what is wrong, not where.
result<segment_header> decode_segment_header(std::span<const std::byte> bytes);

/// `wal-<16 hex digits>.log`.
std::string segment_name(uint64_t sequence);
/// A file of this name is being made, or was given up and waits to serve again; a start removes it.
std::string unfinished_segment_name(uint64_t sequence);
std::optional<uint64_t> parse_segment_name(std::string_view name);
bool is_unfinished_segment_name(std::string_view name);

} // namespace caucus::persistence
