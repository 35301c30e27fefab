#pragma once

#include "base/byte_io.hpp"
#include "base/shared_bytes.hpp"
#include "persistence/snapshot_name.hpp"

#include <optional>

namespace caucus {

/// Which snapshot is offered, as its sender says it on the wire (docs/wire_format.md):
///
///     0         8       16     24     32      40
///     | cluster | group | term | index | uid |      little-endian
inline shared_bytes encode(const persistence::snapshot_identity& x) {
  std::vector<std::byte> bytes;
  byte_writer out{bytes};
  out.u64(x.cluster.value());
  out.u64(x.name.group.value());
  out.u64(x.name.last.term.value());
  out.u64(x.name.last.index.value());
  out.u64(x.uid.value());
  return shared_bytes::copy_of(bytes);
}

inline std::optional<persistence::snapshot_identity>
decode_snapshot_identity(std::span<const std::byte> bytes) {
  byte_reader in{bytes};
  persistence::snapshot_identity x;
  x.cluster = cluster_id{in.u64()};
  x.name.group = group_id{in.u64()};
  x.name.last.term = term_t{in.u64()};
  x.name.last.index = index_t{in.u64()};
  x.uid = persistence::snapshot_uid{in.u64()};
  const bool is_sound = in.at_end() && x.name.last.term && x.name.last.index;
  return is_sound ? std::optional{x} : std::nullopt;
}

} // namespace caucus
