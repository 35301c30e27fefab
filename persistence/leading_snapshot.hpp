#pragma once

#include "persistence/wal_recovery.hpp"

namespace caucus::persistence {

/// Whether the group's log goes on where a snapshot that ends with this entry stops: the log has
/// the entry, or begins after it. Another one was received and not yet put in the log's place; it
/// is as good as never received.
bool leads_to_log(const recovered_group& group, raft::entry_id last);

} // namespace caucus::persistence
