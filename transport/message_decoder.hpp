#pragma once

#include "base/result.hpp"
#include "transport/msgpack_reader.hpp"
#include "transport/transport.hpp"

#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace caucus::transport {

/// Turns the body of a `messages` frame into messages. One per connection, on its thread: it keeps
/// scratch memory.
///
/// The entries of an append share one allocation and their payloads another, in which they stay
/// until the last is given up. Payloads are either copied out of the frame at once or, if they are
/// most of a frame whose memory may be kept, windows into it: a small entry never pins a large
/// buffer.
class message_decoder {
public:
  /// @param owner keeps `body` alive and unchanged; empty if the buffer will be used again.
  /// @returns `malformed` for anything that `encode_messages` does not write; nothing of such a
  ///          frame is believed. Memory taken is bounded by a small multiple of `body`.
  result<std::vector<routed_message>> decode(std::span<const std::byte> body,
                                             const std::shared_ptr<const void>& owner = {});

private:
  using bytes = std::span<const std::byte>;

  bool decode_item(msgpack_reader& in, std::vector<routed_message>& out);
  std::optional<raft::message> decode_body(msgpack_reader& in, uint8_t tag, uint32_t fields);
  bool decode_heartbeats(msgpack_reader& in, uint32_t fields, std::vector<routed_message>& out);
  bool decode_heartbeat_replies(msgpack_reader& in, uint32_t fields,
                                std::vector<routed_message>& out);
  std::optional<raft::message> decode_append(msgpack_reader& in);
  bool decode_entries(msgpack_reader& in, raft::append_entries& into);
  std::optional<raft::message> decode_proposal(msgpack_reader& in);
  /// Gives the entries the payloads that `payloads_` points at.
  void attach_payloads(std::span<raft::entry> entries);

  bytes body_;
  const std::shared_ptr<const void>* owner_ = nullptr;
  std::vector<bytes> payloads_; ///< Of the append being decoded, inside `body_`.
};

} // namespace caucus::transport
