#pragma once

#include "base/result.hpp"
#include "transport/bulk_message.hpp"
#include "transport/wire_format.hpp"

#include <memory>
#include <span>

namespace caucus::transport {

/// Beside the bytes that a message brings: its numbers and the heads of its fields.
inline constexpr size_t bulk_overhead_bytes_max = 64;
/// A longer body ends a bulk connection before memory is taken. No option: a chunk that one node
/// may send, every other must take.
inline constexpr uint32_t bulk_body_bytes_max = snapshot_chunk_bytes_max + bulk_overhead_bytes_max;

/// A smaller queue gets that much all the same. Who was refused is told when half of it is free
/// again: a message must be no more than that.
inline constexpr uint64_t bulk_queue_bytes_min =
  uint64_t{4} * (frame_header_bytes + bulk_body_bytes_max);

/// First element of a bulk frame's body. On the wire: append only.
enum class bulk_tag : uint8_t {
  snapshot_offer = 1,
  snapshot_answer = 2,
  snapshot_chunk = 3,
  snapshot_progress = 4,
  snapshot_done = 5,
};

/// What the frame of `x` takes at most, its header included.
size_t encoded_bytes_max(const bulk_message& x);
/// Precondition: the limits of `bulk_message.hpp` hold. Pure; called on the sending thread.
frame encode(const bulk_message& x);

/// @param owner keeps `body` alive and unchanged, so that a chunk's bytes stay in it; empty if the
///        buffer will be used again: they are copied.
/// @returns `malformed` for anything that `encode` does not write.
result<bulk_message> decode_bulk(std::span<const std::byte> body,
                                 const std::shared_ptr<const void>& owner = {});

} // namespace caucus::transport
