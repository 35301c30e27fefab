#include "transport/hello.hpp"

#include "transport/frame_writer.hpp"
#include "transport/msgpack_reader.hpp"

#define MSGPACK_NO_BOOST
#include <msgpack/pack.hpp>

#include <algorithm>

namespace caucus::transport {

namespace {

using packer = msgpack::packer<frame_writer>;

constexpr std::string_view magic = "caucus";
constexpr size_t reason_bytes_max = 600;
constexpr uint32_t hello_fields = 11;
constexpr uint32_t hello_reply_fields = 12;

void pack_text(packer& out, std::string_view text) {
  out.pack_str(static_cast<uint32_t>(text.size()));
  out.pack_str_body(text.data(), static_cast<uint32_t>(text.size()));
}

void pack_start(packer& out, uint32_t fields, uint16_t version, uint16_t oldest_version) {
  out.pack_array(fields);
  pack_text(out, magic);
  out.pack_uint16(version);
  out.pack_uint16(oldest_version);
}

void pack_identity(packer& out, const node_identity& x) {
  out.pack_uint64(x.cluster.value());
  out.pack_uint64(x.node.value());
  out.pack_uint64(x.directory.value());
  out.pack_uint64(x.boot.value());
  out.pack_uint64(x.founding.id.value());
  pack_text(out,
            std::string_view{x.founding.members}.substr(0, membership::founding_text_bytes_max));
}

/// The peer's text goes into our log: it must not bring line breaks of its own.
std::string cleaned(std::string_view text, size_t bytes_max) {
  std::string x{text.substr(0, bytes_max)};
  std::replace_if(
    x.begin(), x.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; },
    '?');
  return x;
}

node_identity read_identity(msgpack_reader& in) {
  node_identity x;
  x.cluster = cluster_id{in.read_uint()};
  x.node = node_id{in.read_uint()};
  x.directory = directory_id{in.read_uint()};
  x.boot = boot_count{in.read_uint()};
  x.founding.id = founding_id{in.read_uint()};
  x.founding.members = cleaned(in.read_str(), membership::founding_text_bytes_max);
  return x;
}

/// Reads the part that is the same in every version; false if this is something else.
bool read_start(msgpack_reader& in, uint32_t fields, uint16_t& version, uint16_t& oldest_version) {
  const auto count = in.read_array();
  if (count < fields || in.read_str() != magic)
    return false;
  const auto newest = in.read_uint();
  const auto oldest = in.read_uint();
  if (newest > UINT16_MAX || oldest > newest || oldest == 0)
    return false;
  version = static_cast<uint16_t>(newest);
  oldest_version = static_cast<uint16_t>(oldest);
  return in.ok() && (count == fields || version > protocol_version);
}

bool is_complete(const msgpack_reader& in, uint16_t version) {
  return version > protocol_version ? in.ok() : in.at_end();
}

error malformed(const char* what) {
  return {errc::malformed, std::string{what} + " does not decode"};
}

std::string describe(const node_identity& x) {
  return "node " + std::to_string(x.node.value()) + " of cluster " + to_string(x.cluster);
}

std::string describe_versions(uint16_t newest, uint16_t oldest) {
  return oldest == newest ? std::to_string(newest)
                          : std::to_string(oldest) + " to " + std::to_string(newest);
}

/// Compares what hello and reply have in common.
result<void> check_common(const node_identity& peer, uint16_t version, uint16_t oldest_version,
                          const node_identity& self) {
  if (std::max(oldest_version, oldest_protocol_version) > std::min(version, protocol_version))
    return error{errc::version_mismatch,
                 describe(peer) + " speaks protocol version "
                   + describe_versions(version, oldest_version) + ", " + describe(self) + " speaks "
                   + describe_versions(protocol_version, oldest_protocol_version)
                   + ": run the same release on both"};
  if (peer.cluster != self.cluster)
    return error{errc::identity_mismatch,
                 describe(peer) + " met " + describe(self)
                   + ": the clusters differ; check the address and the cluster's name"};
  if (!peer.node)
    return error{errc::identity_mismatch, "a peer claims to be node 0, which no node is"};
  if (peer.node == self.node)
    return error{errc::identity_mismatch,
                 describe(peer) + " met itself or another node with its id; each needs its own"};
  return {};
}

} // namespace

frame encode(const hello& x) {
  frame_writer buffer{hello_bytes_max};
  packer out{buffer};
  pack_start(out, hello_fields, x.version, x.oldest_version);
  out.pack_uint8(static_cast<uint8_t>(x.role));
  pack_identity(out, x.from);
  out.pack_uint64(x.to.value());
  return std::move(buffer).finish(frame_kind::hello, false);
}

frame encode(const hello_reply& x) {
  frame_writer buffer{hello_bytes_max};
  packer out{buffer};
  pack_start(out, hello_reply_fields, x.version, x.oldest_version);
  if (x.refused == errc::none)
    out.pack_true();
  else
    out.pack_false();
  out.pack_uint8(static_cast<uint8_t>(x.refused));
  pack_text(out, std::string_view{x.reason}.substr(0, reason_bytes_max));
  pack_identity(out, x.from);
  return std::move(buffer).finish(frame_kind::hello_reply, false);
}

result<hello> decode_hello(std::span<const std::byte> body) {
  hello x;
  msgpack_reader in{body};
  if (!read_start(in, hello_fields, x.version, x.oldest_version))
    return malformed("a hello");
  const auto role = in.read_uint();
  x.from = read_identity(in);
  x.to = node_id{in.read_uint()};
  if (!is_complete(in, x.version) || role > static_cast<uint8_t>(peer_role::bulk))
    return malformed("a hello");
  x.role = static_cast<peer_role>(role);
  return x;
}

result<hello_reply> decode_hello_reply(std::span<const std::byte> body) {
  hello_reply x;
  msgpack_reader in{body};
  if (!read_start(in, hello_reply_fields, x.version, x.oldest_version))
    return malformed("a hello's reply");
  const auto is_accepted = in.read_bool();
  const auto refused = in.read_uint();
  x.reason = cleaned(in.read_str(), reason_bytes_max);
  x.from = read_identity(in);
  if (!is_complete(in, x.version) || refused > UINT8_MAX || is_accepted != (refused == 0))
    return malformed("a hello's reply");
  x.refused = static_cast<errc>(refused);
  return x;
}

result<void> check_hello(const hello& x, const node_identity& self) {
  if (auto common = check_common(x.from, x.version, x.oldest_version, self); !common)
    return common;
  if (x.to != self.node)
    return error{errc::identity_mismatch, describe(x.from) + " dialled node "
                                            + std::to_string(x.to.value()) + " and reached "
                                            + describe(self) + ": check the addresses"};
  if (x.role == peer_role::client)
    return error{errc::identity_mismatch,
                 describe(self) + " serves members only on this port, no clients"};
  return {};
}

result<void> check_hello_reply(const hello_reply& x, const node_identity& self, node_id dialled) {
  if (auto common = check_common(x.from, x.version, x.oldest_version, self); !common)
    return common;
  if (x.from.node != dialled)
    return error{errc::identity_mismatch, describe(self) + " dialled node "
                                            + std::to_string(dialled.value()) + " and reached "
                                            + describe(x.from) + ": check the addresses"};
  return {};
}

} // namespace caucus::transport
