#pragma once

#include "raft/message.hpp"

namespace caucus {

/// Whether the core says it again at the next tick if it is lost: heartbeats, and who waits for a
/// vote asks again. So nobody needs to be told of its loss, and who has no time can do without it.
inline bool is_said_again(const raft::message& body) {
  return std::holds_alternative<raft::heartbeat>(body)
         || std::holds_alternative<raft::heartbeat_reply>(body)
         || std::holds_alternative<raft::request_vote>(body)
         || std::holds_alternative<raft::vote_reply>(body);
}

} // namespace caucus
