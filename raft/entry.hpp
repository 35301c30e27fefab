#pragma once

#include "base/ids.hpp"
#include "base/shared_bytes.hpp"

#include <memory>
#include <vector>

namespace caucus::raft {

/// What an entry is for. On disk and on the wire: append only.
enum class entry_kind : uint8_t {
  command = 0, ///< The application's; `session` may be 0 (no exactly-once guarantee).
  no_op = 1,   ///< A new leader's first entry: commits what older terms left (thesis §3.6.2).
  configuration = 2, ///< A membership configuration, encoded.
  session = 3,       ///< Opens or closes a client session.
  internal = 4,      ///< Caucus's own commands to every replica.
};
inline constexpr uint8_t entry_kind_count = 5;

/// Position and term: names one entry of a group for ever (Log Matching, thesis §3.5).
struct entry_id {
  index_t index;
  term_t term;

  friend auto operator<=>(const entry_id&, const entry_id&) = default;
};

/// The client's part of an entry: what, and for which session.
struct command {
  entry_kind kind = entry_kind::command;
  session_id session;           ///< 0: none.
  sequence_t sequence;          ///< This command's number in its session, from 1.
  sequence_t lowest_unanswered; ///< Replies below it may be forgotten: the client has them.
  shared_bytes payload;
};

/// One slot of the replicated log, immutable once made; shared by log, WAL, links and machine.
struct entry {
  entry_id id;
  int64_t wall_ns =
    0; ///< The leader's wall clock, never backwards within a log; sessions expire by it.
  command body;

  /// Memory and disk that it costs, in bytes, for limits: an approximation from above.
  [[nodiscard]] static constexpr size_t cost_of(size_t payload_bytes) noexcept {
    return payload_bytes + 96;
  }
  [[nodiscard]] size_t cost() const noexcept { return cost_of(body.payload.size()); }
};

using entry_ptr = std::shared_ptr<const entry>;

} // namespace caucus::raft
