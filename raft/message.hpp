#pragma once

#include "base/errc.hpp"
#include "raft/entry.hpp"

#include <string>
#include <variant>

namespace caucus::raft {

/// Asks for a vote, or (pre) whether a vote would be granted (thesis §3.4, §9.6).
struct request_vote {
  term_t term;   ///< Of the election; a pre-vote names the next term without entering it.
  entry_id last; ///< The candidate's last entry.
  bool is_pre_vote = false;
  bool is_transfer =
    false; ///< The leader asked for this election: stickiness doesn't apply (§4.2.3).
};

/// A grant of a pre-vote carries the requested term; a refusal the refuser's own, so that the asker
/// catches up (RELIABILITY S-08).
struct vote_reply {
  term_t term;
  bool is_pre_vote = false;
  bool granted = false;
  /// Refused: the number of a committed configuration that doesn't name the asker, who was removed
  /// and may not know; 0: none.
  index_t removed_by;
};

/// Entries after `prev`; empty as a probe. The sender's commit index rides along (thesis §3.5).
struct append_entries {
  term_t term;
  entry_id prev;
  index_t leader_commit;
  std::vector<entry_ptr> entries; ///< Contiguous from prev.index + 1.
};

/// Accepted: everything up to `match` is durable there and equals the leader's. Rejected: `prev` is
/// the request's, `hint` the follower's last entry that could match, so that whole terms are
/// skipped.
struct append_reply {
  term_t term;
  bool accepted = false;
  index_t match; ///< Accepted: prev.index + number of entries of the request, never more (S-19).
  index_t prev;  ///< Rejected: which request is refused; a stale refusal is ignored (S-27).
  entry_id hint; ///< Rejected.
  uint8_t priority = 0; ///< The follower's, to lead: the leader may give way to it.
};

/// Keeps followers loyal and moves their commit. `commit` never exceeds what is known to match
/// there.
struct heartbeat {
  term_t term;
  index_t commit;
  read_context context;
};

struct heartbeat_reply {
  term_t term;
  read_context context;
  int64_t promise_ns = 0; ///< For how long its sender votes for nobody; 0: it promises nothing.
};

/// "Campaign now": the second half of a leadership transfer (thesis §3.10).
struct timeout_now {
  term_t term;
};

/// The group has nothing to do: who has exactly this log sleeps, and its leader does already.
/// `last` is committed.
struct quiesce {
  term_t term;
  entry_id last;
};

/// A follower's proposal on its one hop to the leader. Of kind `configuration` it carries a
/// `change_request`: what becomes of it the leader decides, nobody brings a ready configuration.
struct forward_proposal {
  request_id request; ///< The origin's number.
  command body;
};

/// Accepted: the entry has this place in the leader's log; whether it stays there, the origin sees
/// when it applies that index. Refused: certainly not in the log.
struct forward_reply {
  request_id request;
  errc refused = errc::none;
  entry_id accepted;
  node_id leader;     ///< Refused with `not_leader`: who leads, if known.
  std::string detail; ///< Refused: for people, where the code alone doesn't tell.
};

/// A follower asks its leader for an index to read at (thesis §6.4). Its answer serves all reads
/// that waited there when it was asked.
struct read_index {
  read_context context; ///< The asker's number of this attempt: never used twice.
};

/// Whoever has applied `index` sees everything that was acknowledged before the question.
struct read_index_reply {
  read_context context;
  errc refused = errc::none;
  index_t index;
};

using message =
  std::variant<request_vote, vote_reply, append_entries, append_reply, heartbeat, heartbeat_reply,
               timeout_now, forward_proposal, forward_reply, read_index, read_index_reply, quiesce>;

struct envelope {
  node_id to;
  message body;
};

/// What crosses the wire for a group: sender and message; the frame adds who and where.
struct group_message {
  group_id group;
  message body;
};

} // namespace caucus::raft
