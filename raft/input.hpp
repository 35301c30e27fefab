#pragma once

#include "raft/message.hpp"

namespace caucus::raft {

// Everything that can happen to a replica. Any order, duplicates and losses of `received` are
// legal.

/// One logical tick has passed.
struct tick {};

struct received {
  node_id from;
  message body;
};

struct propose {
  request_id request;
  command body;
};

/// All persist batches with seq <= upto are durable.
struct persisted {
  persist_seq upto;
};

/// The machine has executed everything up to and including `upto`.
struct applied {
  index_t upto;
};

/// The answer to one `log_read`: entries from `first` on, maybe fewer than asked; none at a
/// failure.
struct log_read_done {
  node_id to;
  index_t first;
  std::vector<entry_ptr> entries;
};

/// The link to the peer failed or refused messages; what was sent may be lost.
struct peer_unreachable {
  node_id peer;
};

/// Start an election now, whatever the timer says (tests, and operators).
struct campaign {};

using input = std::variant<tick, received, propose, persisted, applied, log_read_done,
                           peer_unreachable, campaign>;

} // namespace caucus::raft
