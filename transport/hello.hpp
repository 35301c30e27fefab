#pragma once

#include "base/result.hpp"
#include "transport/frame.hpp"
#include "transport/transport.hpp"

#include <span>
#include <string>

namespace caucus::transport {

/// The version that this code speaks, and the oldest that it still understands.
inline constexpr uint16_t protocol_version = 1;
inline constexpr uint16_t oldest_protocol_version = 1;

/// Why somebody connects.
enum class peer_role : uint8_t {
  member = 0,
  client = 1,
  bulk = 2, ///< A member's second connection, for snapshots.
};

/// First frame of whoever dialled: who it is and whom it wants to reach.
struct hello {
  uint16_t version = protocol_version;
  uint16_t oldest_version = oldest_protocol_version;
  peer_role role = peer_role::member;
  node_identity from;
  node_id to;
};

/// The answer: who was reached, and whether it talks to the one who dialled.
struct hello_reply {
  errc refused = errc::none;
  std::string reason; ///< A sentence for people; empty if accepted.
  uint16_t version = protocol_version;
  uint16_t oldest_version = oldest_protocol_version;
  node_identity from;
};

frame encode(const hello& x);
frame encode(const hello_reply& x);

/// What follows the known fields is ignored if the sender is newer than we are: it must be able to
/// learn from us that we don't understand it.
result<hello> decode_hello(std::span<const std::byte> body);
result<hello_reply> decode_hello_reply(std::span<const std::byte> body);

/// Whether `self` may talk to who sent `x`. The error names what each side is.
result<void> check_hello(const hello& x, const node_identity& self);
/// Whether the one who answered is the node that was dialled. The error names what was reached.
result<void> check_hello_reply(const hello_reply& x, const node_identity& self, node_id dialled);

} // namespace caucus::transport
