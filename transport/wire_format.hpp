#pragma once

#include "base/result.hpp"
#include "transport/frame.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace caucus::transport {

/// What a frame's body is. On the wire: append only.
enum class frame_kind : uint8_t {
  hello = 1,       ///< First frame of whoever dialled.
  hello_reply = 2, ///< Its answer; a refusal may come from either side, and ends the connection.
  messages = 3,    ///< Raft messages of many groups.
  keep_alive = 4,  ///< Empty: nothing else was to be said for a while.
  bulk = 16,       ///< One message of a bulk connection.
  // 18: handle request, 19: handle reply (reserved)
};

inline constexpr size_t frame_header_bytes = 16;
/// Bodies of hello and hello_reply are that short in every version.
inline constexpr uint32_t hello_bytes_max = 1024;

/// What is known of a frame before its body has arrived.
struct frame_header {
  uint32_t length = 0; ///< Of the body.
  uint32_t crc = 0;    ///< CRC32C of the body.
  frame_kind kind = frame_kind::keep_alive;
};

/// Writes the header of the body that follows it in `out`.
///
///     0        4       8      9       10      12           16
///     | length | crc   | kind | flags | magic | header crc | body ...      little-endian
///
/// The header has a CRC of its own, so that a flipped length closes the connection at once instead
/// of swallowing what follows, and foreign bytes never pass. @see docs/wire_format.md, section 2
void write_header(std::span<std::byte> out, frame_kind kind);

/// Checks a header; nothing is allocated for a body before it passed.
/// @returns `malformed` naming what is wrong: magic, CRC, flags, kind, or a body longer than
///          `body_bytes_max` (RELIABILITY ).
result<frame_header> parse_header(std::span<const std::byte, frame_header_bytes> bytes,
                                  uint32_t body_bytes_max);

/// Whether the body arrived as it was sent.
[[nodiscard]] bool is_intact(const frame_header& header, std::span<const std::byte> body);

frame make_keep_alive();

} // namespace caucus::transport
