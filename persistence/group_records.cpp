#include "persistence/group_records.hpp"

#include "base/byte_io.hpp"
#include "membership/configuration_codec.hpp"
#include "persistence/node_records.hpp"

namespace caucus::persistence {

namespace {

constexpr uint8_t restarts_flag = 1;
constexpr uint8_t small_flag = 1;

void put(byte_writer& out, const raft::snapshot_boundary& x) {
  out.u64(x.last.index.value());
  out.u64(x.last.term.value());
  out.u64(x.members.id.value());
  // Of a log that was never cut nothing needs to be said: the group's creation does.
  encode(x.members.members ? *x.members.members : membership::configuration{}, out);
}

raft::snapshot_boundary get_boundary(byte_reader& in) {
  raft::snapshot_boundary x;
  x.last.index = index_t{in.u64()};
  x.last.term = term_t{in.u64()};
  x.members.id = index_t{in.u64()};
  auto members = membership::decode_configuration(in);
  if (x.last.index)
    x.members.members = std::make_shared<const membership::configuration>(std::move(members));
  return x;
}

void put(byte_writer& out, const kept_snapshot& x) {
  put(out, x.at);
  out.i64(x.wall_ns);
  out.u8(x.is_small ? small_flag : 0);
}

/// Nothing if it can't be one.
std::optional<kept_snapshot> get_snapshot(byte_reader& in) {
  kept_snapshot x;
  x.at = get_boundary(in);
  x.wall_ns = in.i64();
  const auto flags = in.u8();
  x.is_small = flags == small_flag;
  if (!in.ok() || flags > small_flag || !x.at.last.index)
    return std::nullopt;
  return x;
}

} // namespace

std::vector<std::byte> encode_body(const group_checkpoint& x) {
  const auto descriptor = encode_body(x.descriptor);
  std::vector<std::byte> body;
  byte_writer out{body};
  out.u32(static_cast<uint32_t>(descriptor.size()));
  out.bytes(descriptor);
  out.u64(x.hard.term.value());
  out.u64(x.hard.voted_for.value());
  out.u64(x.hard.commit.value());
  out.u64(x.last.value());
  put(out, x.begins_after);
  out.u32(static_cast<uint32_t>(x.snapshots.size()));
  for (const auto& snapshot : x.snapshots)
    put(out, snapshot);
  return body;
}

std::optional<group_checkpoint> decode_group_checkpoint(group_id group, replica_uid uid,
                                                        std::span<const std::byte> body) {
  byte_reader in{body};
  auto descriptor = decode_group_descriptor(group, uid, in.bytes(in.u32()));
  if (!descriptor)
    return std::nullopt;
  group_checkpoint x;
  x.descriptor = *std::move(descriptor);
  x.hard.term = term_t{in.u64()};
  x.hard.voted_for = node_id{in.u64()};
  x.hard.commit = index_t{in.u64()};
  x.last = index_t{in.u64()};
  x.begins_after = get_boundary(in);
  const auto count = in.u32();
  if (count > snapshots_kept || x.begins_after.last.index > x.last)
    return std::nullopt;
  for (uint32_t i = 0; i < count; ++i) {
    auto snapshot = get_snapshot(in);
    const auto above = i == 0 ? index_t{UINT64_MAX} : x.snapshots.back().at.last.index;
    if (!snapshot || snapshot->at.last.index >= above)
      return std::nullopt;
    x.snapshots.push_back(*std::move(snapshot));
  }
  if (!in.at_end())
    return std::nullopt;
  return x;
}

std::vector<std::byte> encode_body(const snapshot_record& x) {
  std::vector<std::byte> body;
  byte_writer out{body};
  out.u8(x.restarts ? restarts_flag : 0);
  put(out, x.mark.begins_after);
  put(out, x.mark.snapshot);
  if (!x.mark.snapshot.bytes.empty())
    out.bytes(x.mark.snapshot.bytes.span());
  return body;
}

std::optional<snapshot_record> decode_snapshot_record(std::span<const std::byte> body,
                                                      bool has_bytes,
                                                      const std::shared_ptr<const void>& owner) {
  byte_reader in{body};
  snapshot_record x;
  const auto flags = in.u8();
  x.restarts = flags == restarts_flag;
  x.mark.begins_after = get_boundary(in);
  auto snapshot = get_snapshot(in);
  if (!snapshot || flags > restarts_flag || (has_bytes && !snapshot->is_small)
      || x.mark.begins_after.last.index > snapshot->at.last.index)
    return std::nullopt;
  if (has_bytes && in.remaining() <= small_snapshot_bytes_max)
    snapshot->bytes = shared_bytes::window(owner, in.bytes(in.remaining()));
  if (!in.at_end())
    return std::nullopt;
  x.mark.snapshot = *std::move(snapshot);
  return x;
}

} // namespace caucus::persistence
