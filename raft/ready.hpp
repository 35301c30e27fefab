#pragma once

#include "membership/configuration.hpp"
#include "raft/message.hpp"
#include "raft/persist_batch.hpp"

#include <optional>
#include <vector>

namespace caucus::raft {

enum class role : uint8_t { follower, pre_candidate, candidate, leader };

/// What others like to know and no disk needs to keep.
struct soft_state {
  term_t term;
  node_id leader; ///< 0: none known.
  enum role role = role::follower;

  friend bool operator==(const soft_state&, const soft_state&) = default;
};

/// A heartbeat or its answer; travels merged with those of all groups of the node pair.
struct heartbeat_out {
  node_id to;
  term_t term;
  index_t commit; ///< Heartbeats only.
  read_context context;
  int64_t promise_ns = 0; ///< Answers only.
};

/// A proposal found its place in the log of `accepted.term`'s leader. Its fate is known when this
/// index is applied here: same term, executed; another term, not executed.
struct accepted_proposal {
  request_id request;
  entry_id place;
};

/// A read may be answered by our machine once it has applied `index`.
struct ready_read {
  request_id request;
  index_t index;
};

/// A transfer, or a step-down, is done.
struct transferred_leadership {
  request_id request;
  node_id leader; ///< 0: nobody was fit, so we only stepped down.
};

/// A proposal that certainly isn't in any log (errc below 32), or whose fate nobody here will
/// learn; a read that can't be answered, or a transfer that failed (always below 32).
struct refused_proposal {
  request_id request;
  errc reason = errc::none;
  node_id leader;       ///< Whom to ask instead, if known.
  std::string detail{}; ///< For people, where the code alone doesn't tell: `invalid_change`.
};

/// The configuration in force has changed, by an entry appended or one cut off again, or has been
/// committed. Its addresses are where the peers are reached from now on.
struct configuration_news {
  membership::configuration_ptr members;
  index_t id;
  bool is_committed = false; ///< Else another leader may still undo it.
};

/// A peer needs entries that were compacted. Repeated until it has them: to be ignored while a
/// snapshot for it is on its way.
struct snapshot_wanted {
  node_id to;
  index_t at_least; ///< One that ends before it wouldn't help.
};

/// Entries that left memory and are wanted: for a peer that lags, or (`to` is this node) to be
/// applied.
struct log_read {
  node_id to;
  index_t first;
  index_t last; ///< Inclusive.
  uint32_t bytes_max = 0;
};

/// What the shell must do. The parts are independent and may be executed in any order; only two
/// orders matter and both are FIFO: persist batches to the WAL by `seq`, committed entries to the
/// machine by index.
struct ready {
  std::optional<persist_batch> persist;
  std::vector<envelope> messages; ///< May be sent now; what needs durability is still held.
  std::vector<heartbeat_out> heartbeats;
  std::vector<heartbeat_out> heartbeat_replies;
  std::vector<entry_ptr> committed; ///< Next to apply; persisted here.
  std::vector<accepted_proposal> accepted;
  std::vector<refused_proposal> refused;
  std::vector<ready_read> reads_ready;
  std::vector<transferred_leadership> transferred;
  std::vector<log_read> reads;
  std::vector<snapshot_wanted> snapshots_wanted;
  std::optional<entry_id>
    restore; ///< The machine must load the installed snapshot that ends here, before `committed`
             ///< of this ready and after that of those before; then `applied` as for entries.
  std::vector<soft_state>
    soft_changes; ///< Every change of it since the last ready, in order: each is an event.
  std::optional<configuration_news> configuration; ///< The newest, if there is news.
  /// We are no member any more: of entries after this one we may never hear.
  std::optional<index_t> left_after;
};

} // namespace caucus::raft
