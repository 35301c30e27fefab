#pragma once

#include "raft/entry.hpp"

#include <optional>

namespace caucus::raft {

/// What a replica must never forget (thesis Fig. 3.1). Commit may lag on disk: it is only a hint at
/// restart.
struct hard_state {
  term_t term;
  node_id voted_for; ///< 0: nobody in `term`.
  index_t commit;

  friend bool operator==(const hard_state&, const hard_state&) = default;
};

/// What one ready asks the disk to keep, atomically in this order: snapshot, truncate, entries,
/// hard state.
struct persist_batch {
  persist_seq seq; ///< Strictly increasing, never reused.
  std::optional<hard_state> hard;
  std::optional<entry_id> snapshot;     ///< The log is emptied and begins anew after this entry.
  std::optional<index_t> truncate_from; ///< Entries at and after it are dropped first.
  std::vector<entry_ptr> entries;       ///< Contiguous.
  bool must_sync = true;                ///< False if only the commit index moved.
};

/// A stretch of the log with one term; the runs of a log tell the term of every index in little
/// memory.
struct term_run {
  index_t first;
  term_t term;

  friend bool operator==(const term_run&, const term_run&) = default;
};

} // namespace caucus::raft
