#pragma once

#include "raft/ready.hpp"

#include <string_view>

namespace caucus::raft {

/// How the leader sends to a peer: one message a round trip until it knows where the logs agree,
/// then as a pipeline; nothing but probes while it needs a snapshot.
enum class progress_state : uint8_t { probe, replicate, snapshot };

std::string_view to_string(role x) noexcept;
std::string_view to_string(progress_state x) noexcept;

/// What was dropped or ignored because it made no sense (any more). Noise, not failure; a peer that
/// makes `invalid` or `beyond_sent` grow misbehaves (RELIABILITY P-12, P-22).
struct noise_counters {
  uint64_t stale_term = 0;   ///< Messages of an older term.
  uint64_t not_member = 0;   ///< From a node that the configuration doesn't name.
  uint64_t invalid = 0;      ///< Impossible on their face: gaps inside, absurd index or term.
  uint64_t beyond_sent = 0;  ///< Acknowledgements of what was never sent.
  uint64_t stale_reply = 0;  ///< Answers that no longer match what was asked.
  uint64_t wrong_role = 0;   ///< Answers that came after their asker's role ended.
  uint64_t sticky = 0;       ///< Vote requests ignored because a leader is alive.
  uint64_t stale_reads = 0;  ///< Log reads whose entries our log no longer holds.
  uint64_t failed_reads = 0; ///< Log reads that brought nothing.

  friend bool operator==(const noise_counters&, const noise_counters&) = default;
};

/// The leader's view of one peer, for people.
struct peer_status {
  node_id id;
  index_t match;
  index_t next;
  progress_state state = progress_state::probe;
  uint32_t inflight_messages = 0;
  uint64_t inflight_bytes = 0;
  bool is_paused = false;
  bool is_active = false;       ///< Heard within the current check-quorum round.
  bool answered_lately = false; ///< Or the one before.
  bool is_leaving = false;      ///< No member any more, but not told yet.
};

/// A picture of a replica for status commands, logs and golden traces.
struct core_status {
  node_id self;
  term_t term;
  node_id voted_for;
  enum role role = role::follower;
  node_id leader;
  index_t commit;
  index_t applied;
  index_t persisted;
  index_t first; ///< First index that was not compacted.
  index_t last;
  uint64_t tail_bytes = 0;
  uint64_t uncommitted_bytes = 0;        ///< Leader only.
  uint64_t forwarded = 0;                ///< Proposals sent to the leader and not answered.
  uint64_t waiting_reads = 0;            ///< Not confirmed yet.
  bool is_asleep = false;                ///< Needs no ticks.
  std::vector<peer_status> peers;        ///< Leader only, ascending.
  membership::configuration_ptr members; ///< The configuration in force, committed or not.
  index_t configuration_id;              ///< Index of its entry; 0: the group's first.
  /// The newest that is known to be committed: comes back if the one in force is undone.
  membership::configuration_ptr committed_members;
  /// A committed configuration, newer than ours, that doesn't name this node: it doesn't campaign
  /// any more. 0: none that we were told of.
  index_t removed_by;
  bool is_outsider = false; ///< No member, by the log or by what it was told.
  noise_counters noise;
};

} // namespace caucus::raft
