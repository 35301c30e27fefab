#pragma once

#include "membership/configuration.hpp"
#include "raft/persist_batch.hpp"

namespace caucus::raft {

/// What storage found at start. All default for a replica that never ran, but `members`.
struct recovered_state {
  hard_state hard{};
  membership::configuration members; ///< As of `compacted`: the group's first, or a snapshot's.
  index_t members_id;                ///< The number of `members`; 0: the group's first.
  /// Those that the log's entries brought, ascending; all of them, committed or not.
  std::vector<membership::numbered_configuration> configurations;
  entry_id compacted;          ///< The entry before the first one in the log; 0:0 if none was cut.
  std::vector<term_run> runs;  ///< Terms of the whole log; empty if the log is.
  index_t last;                ///< Last index in the log; `compacted.index` if it is empty.
  std::vector<entry_ptr> tail; ///< The newest entries, contiguous up to `last`; may be empty, but
                               ///< with the last one wall time can't step back.
  index_t applied;             ///< Up to which nothing needs to be handed out again.
};

} // namespace caucus::raft
