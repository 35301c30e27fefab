#include "persistence/node_records.hpp"

#include "base/byte_io.hpp"
#include "membership/configuration_codec.hpp"

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
  encode(x.members, out);
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
  x.members = membership::decode_configuration(in);
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

std::vector<std::byte> encode_body(const membership::founding& x) {
  std::vector<std::byte> body;
  byte_writer out{body};
  out.u64(x.id.value());
  put(out, x.members);
  return body;
}

std::optional<membership::founding> decode_founding(std::span<const std::byte> body) {
  byte_reader in{body};
  membership::founding x;
  x.id = founding_id{in.u64()};
  x.members = get_text(in);
  if (!in.at_end() || !x.id)
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
