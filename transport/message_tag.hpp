#pragma once

#include <cstddef>
#include <cstdint>

namespace caucus::transport {

/// First element of each item in a frame of messages. On the wire: append only.
enum class message_tag : uint8_t {
  request_vote = 1,
  vote_reply = 2,
  append_entries = 3,
  append_reply = 4,
  heartbeats = 5,        ///< A run of them, of several groups.
  heartbeat_replies = 6, ///< Likewise.
  timeout_now = 7,
  forward_proposal = 8,
  forward_reply = 9,
  read_index = 10,
  read_index_reply = 11,
  quiesce = 12,
};

/// Elements of an item's array, tag and group included.
inline constexpr uint32_t request_vote_fields = 7;
inline constexpr uint32_t vote_reply_fields = 6;
inline constexpr uint32_t append_entries_fields = 7;
inline constexpr uint32_t append_reply_fields = 9;
inline constexpr uint32_t heartbeat_row_fields = 4; ///< group, term, commit, context; no nesting.
inline constexpr uint32_t heartbeat_reply_row_fields = 4; ///< group, term, context, promise
inline constexpr uint32_t timeout_now_fields = 3;
inline constexpr uint32_t forward_proposal_fields = 8;
inline constexpr uint32_t forward_reply_fields = 8;
inline constexpr uint32_t read_index_fields = 3;
inline constexpr uint32_t read_index_reply_fields = 5;
inline constexpr uint32_t quiesce_fields = 5;
inline constexpr size_t detail_bytes_max = 255; ///< Of a refusal's text; longer ones are cut.
inline constexpr uint32_t entry_fields = 8;
inline constexpr size_t entry_bytes_min = 10; ///< Its array, seven numbers and an empty payload.

} // namespace caucus::transport
