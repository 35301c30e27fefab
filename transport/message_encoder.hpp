#pragma once

#include "transport/frame.hpp"
#include "transport/transport.hpp"

#include <span>
#include <vector>

namespace caucus::transport {

/// More messages than this are never put into one frame, nor accepted in one.
inline constexpr size_t frame_messages_max = 65536;

/// Encodes a batch in its order: one frame, or several where it exceeds `body_bytes_max` or
/// `frame_messages_max`. Runs of heartbeats and of their replies are merged. A batch of nothing
/// else gives urgent frames. Pure; called on the sending thread.
/// @returns nothing if a single message exceeds `body_bytes_max`, which the core's limits exclude.
std::vector<frame> encode_messages(std::span<const routed_message> messages,
                                   uint32_t body_bytes_max);

} // namespace caucus::transport
