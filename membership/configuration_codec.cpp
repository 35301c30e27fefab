#include "membership/configuration_codec.hpp"

#include "membership/endpoint_codec.hpp"

namespace caucus::membership {

namespace {

constexpr uint8_t payload_version = 1;
constexpr uint8_t auto_leave_flag = 1;
constexpr uint8_t staging_flag = 2; ///< A fifth set follows the addresses.

void encode(const std::set<node_id>& nodes, byte_writer& out) {
  out.u32(static_cast<uint32_t>(nodes.size()));
  for (const auto node : nodes)
    out.u64(node.value());
}

void spoil(byte_reader& in) { in.bytes(in.remaining() + 1); }

/// Ascending, so that equal sets have equal bytes.
std::set<node_id> decode_nodes(byte_reader& in) {
  std::set<node_id> nodes;
  const auto count = in.u32();
  if (count > members_max)
    spoil(in);
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    const node_id node{in.u64()};
    if (!nodes.empty() && node <= *nodes.rbegin())
      spoil(in);
    nodes.insert(nodes.end(), node);
  }
  return nodes;
}

std::map<node_id, endpoint> decode_addresses(byte_reader& in) {
  std::map<node_id, endpoint> addresses;
  const auto count = in.u32();
  if (count > members_max)
    spoil(in);
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    const node_id node{in.u64()};
    if (!addresses.empty() && node <= addresses.rbegin()->first)
      spoil(in);
    addresses.emplace_hint(addresses.end(), node, decode_endpoint(in));
  }
  return addresses;
}

} // namespace

void encode(const configuration& x, byte_writer& out) {
  encode(x.voters, out);
  encode(x.outgoing, out);
  encode(x.learners, out);
  encode(x.learners_next, out);
  out.u8(static_cast<uint8_t>((x.auto_leave ? auto_leave_flag : 0)
                              | (x.staging.empty() ? 0 : staging_flag)));
  out.u32(static_cast<uint32_t>(x.addresses.size()));
  for (const auto& [node, address] : x.addresses) {
    out.u64(node.value());
    encode(address, out);
  }
  if (!x.staging.empty())
    encode(x.staging, out);
}

configuration decode_configuration(byte_reader& in) {
  configuration x;
  x.voters = decode_nodes(in);
  x.outgoing = decode_nodes(in);
  x.learners = decode_nodes(in);
  x.learners_next = decode_nodes(in);
  const auto flags = in.u8();
  x.auto_leave = (flags & auto_leave_flag) != 0;
  x.addresses = decode_addresses(in);
  if ((flags & staging_flag) != 0) {
    x.staging = decode_nodes(in);
    if (x.staging.empty())
      spoil(in);
  }
  if (flags > (auto_leave_flag | staging_flag))
    spoil(in);
  return x;
}

std::vector<std::byte> encode_payload(const configuration& x) {
  std::vector<std::byte> payload;
  byte_writer out{payload};
  out.u8(payload_version);
  encode(x, out);
  return payload;
}

std::optional<configuration> decode_payload(std::span<const std::byte> payload) {
  byte_reader in{payload};
  if (in.u8() != payload_version)
    return std::nullopt;
  auto x = decode_configuration(in);
  if (!in.at_end() || !find_flaw(x).empty())
    return std::nullopt;
  return x;
}

} // namespace caucus::membership
