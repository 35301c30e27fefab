#pragma once

#include "base/result.hpp"
#include "persistence/snapshot_name.hpp"
#include "raft/snapshot_boundary.hpp"

#include <span>

namespace caucus::persistence {

/// The newest format of snapshot files that this build writes and reads
/// (docs/snapshot_format.md).
inline constexpr uint32_t snapshot_format_version = 2;

/// Of the content, a chunk each: what is checked before any of it is believed.
inline constexpr uint32_t snapshot_chunk_bytes_min = 64;
inline constexpr uint32_t snapshot_chunk_bytes_max = uint32_t{1} << 20;

/// What a snapshot file begins with. Says nothing of the node that made it, so that the file is
/// shipped as it is (RELIABILITY S-57).
///
///     0       8        12       16        24      32    40             48            56        64
///     | magic | format | header | cluster | group | uid | last's index | last's term | wall ns |
///     | "CaucusSN"     |  bytes |
///     64               72            76              80
///     | configuration's| bytes of a  | bytes of the  | configuration, name ... | CRC of all
///     |          index |      chunk  | configuration |                   zeros |     before
///
/// Magic, format, bytes and checksum stay where they are in every version, so that a refusal of a
/// newer one can name it.
struct snapshot_header {
  cluster_id cluster;
  group_id group;
  snapshot_uid uid;
  raft::snapshot_boundary at; ///< Ends at an entry, so index and term aren't 0.
  int64_t wall_ns = 0;        ///< Of the last entry: sessions expire by it (RELIABILITY N-14).
  uint32_t chunk_bytes = uint32_t{256} << 10;
  std::string group_name; ///< Empty in files of format 1, which had none.

  [[nodiscard]] snapshot_name name() const { return {group, at.last}; }
  [[nodiscard]] snapshot_identity identity() const { return {cluster, name(), uid}; }
};

/// As many bytes tell how many the header has.
inline constexpr size_t snapshot_header_head_bytes = 16;
/// 128 members with the longest host names need less.
inline constexpr size_t snapshot_header_bytes_max = size_t{64} << 10;

/// Precondition: members without a flaw, `chunk_bytes` within the limits, a name of at most 255
/// bytes. Without one it is the format that has none, so that what was read is written alike.
std::vector<std::byte> encode(const snapshot_header& header);

/// Bytes of the whole header that begins with `head`; nothing if that is no snapshot's or the size
/// can't be. Precondition: `head` has `snapshot_header_head_bytes`.
std::optional<size_t> snapshot_header_bytes(std::span<const std::byte> head);

/// Precondition: `bytes` has as many as `snapshot_header_bytes` said. `version_mismatch` names both
/// versions; `malformed` says what is wrong, not where.
result<snapshot_header> decode_snapshot_header(std::span<const std::byte> bytes);

} // namespace caucus::persistence
