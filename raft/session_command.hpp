#pragma once

#include "base/result.hpp"
#include "base/shared_bytes.hpp"

#include <cstdint>
#include <variant>

namespace caucus::raft {

/// Opens a session named by the index of its entry. The limits travel in the log, so that replicas
/// with other options decide alike.
struct open_session {
  int64_t timeout_ns = 0;    ///< Log time without a command after which it expires. > 0.
  uint32_t sessions_max = 0; ///< Refused when this many are open already. > 0.
  /// Bytes of replies kept for this session before its next command must wait for the client to
  /// give some up: a session's memory is bounded by this and one reply more. > 0.
  uint64_t reply_bytes_max = 16 << 20;

  friend bool operator==(const open_session&, const open_session&) = default;
};

/// Forgets the session that the entry's `session` names.
struct close_session {
  friend bool operator==(const close_session&, const close_session&) = default;
};

/// Payload of an entry of kind `session`.
using session_command = std::variant<open_session, close_session>;

/// Little-endian, a version byte in front; the layout is in session_command.cpp.
shared_bytes encode(const session_command& x);
/// `malformed` or `version_mismatch`; limits of zero or beyond reason are malformed.
result<session_command> decode_session_command(std::span<const std::byte> bytes);

} // namespace caucus::raft
