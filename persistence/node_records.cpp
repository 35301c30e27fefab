#include "persistence/node_records.hpp"

#include "base/byte_io.hpp"

namespace caucus::persistence {

namespace {

void put(byte_writer& out, std::string_view text) {
  out.u32(static_cast<uint32_t>(text.size()));
  out.bytes(std::as_bytes(std::span{text.data(), text.size()}));
}

std::string get_text(byte_reader& in) {
  const auto bytes = in.bytes(in.u32());
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void put(byte_writer& out, const std::set<node_id>& nodes) {
  out.u32(static_cast<uint32_t>(nodes.size()));
  for (const auto node : nodes)
    out.u64(node.value());
}

std::set<node_id> get_nodes(byte_reader& in) {
  std::set<node_id> nodes;
  const auto count = in.u32();
  for (uint32_t i = 0; i < count && in.ok(); ++i)
    nodes.insert(node_id{in.u64()});
  return nodes;
}

void put(byte_writer& out, const membership::configuration& x) {
  put(out, x.voters);
  put(out, x.outgoing);
  put(out, x.learners);
  put(out, x.learners_next);
  out.u8(x.auto_leave ? 1 : 0);
  out.u32(static_cast<uint32_t>(x.addresses.size()));
  for (const auto& [node, address] : x.addresses) {
    out.u64(node.value());
    out.u16(address.port);
    put(out, address.host);
  }
}

membership::configuration get_configuration(byte_reader& in) {
  membership::configuration x;
  x.voters = get_nodes(in);
  x.outgoing = get_nodes(in);
  x.learners = get_nodes(in);
  x.learners_next = get_nodes(in);
  x.auto_leave = in.u8() != 0;
  const auto count = in.u32();
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    const node_id node{in.u64()};
    endpoint address;
    address.port = in.u16();
    address.host = get_text(in);
    x.addresses[node] = std::move(address);
  }
  return x;
}

} // namespace

std::optional<raft::hard_state> decode_hard_state(std::span<const std::byte> body) {
  const auto numbers = decode_numbers(body, 3);
  if (!numbers)
    return std::nullopt;
  return raft::hard_state{term_t{(*numbers)[0]}, node_id{(*numbers)[1]}, index_t{(*numbers)[2]}};
}

std::vector<std::byte> encode_body(const group_descriptor& x) {
  std::vector<std::byte> body;
  byte_writer out{body};
  out.u64(x.generation);
  put(out, x.name);
  put(out, x.members);
  return body;
}

std::optional<group_descriptor> decode_group_descriptor(group_id group, replica_uid uid,
                                                        std::span<const std::byte> body) {
  byte_reader in{body};
  group_descriptor x;
  x.group = group;
  x.uid = uid;
  x.generation = in.u64();
  x.name = get_text(in);
  x.members = get_configuration(in);
  if (!in.at_end())
    return std::nullopt;
  return x;
}

std::vector<std::byte> encode_body(const group_tombstone& x) {
  std::vector<std::byte> body;
  byte_writer out{body};
  out.u64(x.generation);
  put(out, x.name);
  return body;
}

std::optional<group_tombstone> decode_group_tombstone(group_id group,
                                                      std::span<const std::byte> body) {
  byte_reader in{body};
  group_tombstone x;
  x.group = group;
  x.generation = in.u64();
  x.name = get_text(in);
  if (!in.at_end())
    return std::nullopt;
  return x;
}

std::optional<std::vector<uint64_t>> decode_numbers(std::span<const std::byte> body, size_t count) {
  byte_reader in{body};
  std::vector<uint64_t> numbers;
  for (size_t i = 0; i < count; ++i)
    numbers.push_back(in.u64());
  if (!in.at_end())
    return std::nullopt;
  return numbers;
}

} // namespace caucus::persistence
