#pragma once

#include "base/ids.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace caucus::persistence {

/// What a record says. On disk: append only, never reuse. A start that meets a kind it doesn't know
/// refuses.
enum class record_kind : uint8_t {
  entries = 1,
  hard_state = 2,
  truncation = 3,
  group_created = 4,
  group_deleted = 5,
  peer_identity = 6,
  peer_forgotten = 7,
  snapshot_mark = 8,
  small_snapshot = 9,
  checkpoint = 10, ///< All that is known of a group but its entries; of the node, what it needs.
  moved = 11,      ///< Entries that were in an older segment.
  founding = 12,
};

std::string_view to_string(record_kind kind) noexcept;
/// Whether this build reads records of this kind.
[[nodiscard]] bool is_readable(record_kind kind) noexcept;
/// For people: what a kind that it doesn't read means.
std::string describe_unreadable(record_kind kind);

/// What every record begins with.
///
///     0            4          8       12     13     16      24    32
///     | header CRC | body CRC | bytes | kind | zero | group | uid | body ... | zeros to 8 |
///
/// The header's CRC32C covers [4, 32), the body's [32, bytes). So a damaged body still says to whom
/// it belonged, and only that group is quarantined (RELIABILITY E-09).
struct record_header {
  uint32_t body_crc = 0;
  uint32_t bytes = 0; ///< Header and body, without the padding behind.
  record_kind kind = record_kind::entries;
  group_id group;  ///< 0: the record is the node's.
  replica_uid uid; ///< 0 with group 0.

  friend bool operator==(const record_header&, const record_header&) = default;
};

inline constexpr size_t record_header_bytes = 32;

/// Precondition: `into` has `record_header_bytes`.
void encode(const record_header& header, std::span<std::byte> into);

/// Nothing if the checksum is wrong or the size can't be.
std::optional<record_header> decode_record_header(std::span<const std::byte> bytes);

} // namespace caucus::persistence
