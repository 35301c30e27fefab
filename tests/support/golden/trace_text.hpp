#pragma once

#include "membership/configuration.hpp"
#include "raft/core_status.hpp"

#include <string>
#include <vector>

namespace caucus::golden {

// How a trace spells what a core says: one fact a line, entries as `index@term what`.

std::string to_text(const std::set<node_id>& x);
std::string to_text(raft::entry_id x);
std::string to_text(const raft::entry& x);
std::string to_text(const std::vector<raft::entry_ptr>& x);
/// The message's type as it is named in raft/message.hpp.
std::string kind_of(const raft::message& x);
std::string to_text(const raft::message& x);
std::string to_text(const raft::persist_batch& x);
std::string to_text(const membership::configuration& x);
std::string to_text(const raft::core_status& x);
std::string to_text(const raft::peer_status& x);

/// What a ready says besides its messages, in the order of its parts; without the speaker's name.
std::vector<std::string> describe(const raft::ready& x);
/// The names of the counters that have grown, each as often as it grew.
std::vector<std::string> grown(const raft::noise_counters& before,
                               const raft::noise_counters& after);

} // namespace caucus::golden
