#pragma once

#include <cstdint>
#include <string_view>

namespace caucus {

/// What can go wrong. The class of an error is part of its number; numbers are on the wire: append
/// only.
enum class errc : uint8_t {
  none = 0,

  // 1..31: certainly not executed. Safe to retry, possibly elsewhere.
  not_leader = 1, ///< This replica doesn't lead and must not forward; the leader is named if known.
  no_leader = 2,  ///< No leader is known here right now.
  proposal_dropped =
    3, ///< A limit is reached: commands or bytes waiting, uncommitted bytes, memory.
  proposal_too_large = 4, ///< The command exceeds `proposal_bytes_max`; retrying can't help.
  overwritten = 5,        ///< Another leader's entry took the place of this one in the log.
  session_expired = 6,    ///< Unknown or expired session: its commands are never executed.
  session_gap = 7,    ///< An earlier command of the session is missing; re-send from `expected`.
  session_window = 8, ///< More than the window's commands of one session are unanswered.
  sessions_exhausted = 9, ///< As many sessions are open as the group allows.
  session_stale = 10,     ///< This sequence was answered and its reply was given up by the client.
  stopping = 11,          ///< The node or group is stopping and takes no more commands.
  no_such_group = 12,
  rejected_by_machine = 13, ///< The state machine refused the command; it changed nothing.
  invalid_proposal = 14,    ///< A kind of entry that only the core itself may append.
  read_unconfirmed = 15,    ///< No quorum confirmed in time that the leader still leads.
  handing_over = 16,        ///< The leader takes no proposals until another has taken over.
  invalid_target = 17,  ///< Leadership can't go there: no voter, the leader itself, or none is fit.
  transfer_failed = 18, ///< The target didn't come to lead in time, or another did.
  change_in_flight = 19, ///< Another membership change isn't finished; retry when it is.
  change_too_early = 20, ///< The leader is new: it has not committed yet, or not heard all; retry.
  configuration_mismatch = 21,  ///< The configuration isn't the one that the change expected.
  invalid_change = 22,          ///< The members can't be changed like that; the reason is told.
  change_without_majority = 23, ///< Of the voters after it too few have answered lately.
  not_member = 24,              ///< This node isn't in the group, any more or yet: ask another.
  snapshot_failed = 25,         ///< No snapshot was made; the older ones are as they were.
  storage_full = 26,            ///< This node's disk is full: ask another, or wait.

  // 32..63: may or may not be executed. Retry only under the same session and sequence.
  timeout = 32,         ///< The deadline passed before the entry's fate was known.
  leadership_lost = 33, ///< The link or leader was lost before it said whether it accepted.
  snapshot_passed = 34, ///< A snapshot replaced the part of the log that held the answer.
  node_stopped = 35,    ///< The node stopped while the entry was in the log.
  cancelled = 36,       ///< The caller gave up.
  reply_lost = 37, ///< Decided before; this replica no longer has what the machine answered then.
  left_group = 38, ///< The node was removed while the entry was in the log: it won't hear the rest.

  // 64..95: this replica can't go on. Its group stops; the process does not.
  wal_io_failed = 64,
  wal_corrupt = 65,
  invariant_violated = 66,
  machine_failed = 67,

  // 96..127: local to files, sockets and options; never the answer to a command.
  io_failed = 96,
  wal_truncated = 97, ///< The bytes end inside a record: normal at the tail after a crash.
  no_space = 98,
  invalid_argument = 99,
  invalid_option = 100,
  identity_mismatch = 101, ///< The directory, or the peer, belongs to another node or cluster.
  in_use = 102,            ///< Directory or address is held by another process.
  not_found = 103,
  version_mismatch = 104,
  malformed = 105, ///< Bytes from outside that don't decode.
  unreachable = 106,
  already_exists = 107,
};

/// The name of the code as it is spelled above.
std::string_view to_string(errc code) noexcept;

/// Whether a caller may conclude that the command was not and won't be executed.
constexpr bool is_not_executed(errc code) noexcept {
  return code != errc::none && static_cast<uint8_t>(code) < 32;
}

} // namespace caucus
