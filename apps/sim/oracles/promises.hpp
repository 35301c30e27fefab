#pragma once

#include "apps/sim/sim_disk.hpp"
#include "raft/ready.hpp"

namespace caucus::sim {

/// Nothing leaves a node before what it says is durable there: term and vote before an answer or a
/// campaign, entries before their acknowledgement (RELIABILITY section 0 rule 2, S-01, S-20, S-21).
class promises {
public:
  /// `believed`: the log as the node's core had it when it made the message.
  static void on_message(node_id from, const raft::envelope& x, const log_mirror& believed,
                         const sim_disk& disk);
  static void on_heartbeat_reply(node_id from, const raft::heartbeat_out& x, const sim_disk& disk);
};

} // namespace caucus::sim
