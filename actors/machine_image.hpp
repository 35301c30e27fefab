#pragma once

#include "caucus/snapshot.hpp"
#include "raft/sessions.hpp"

#include <memory>
#include <vector>

namespace caucus {

/// What a snapshot of a group contains: who has executed what (the session table), and behind it
/// the machine's own bytes. Without the first a retry would be executed again on who loads it
/// (RELIABILITY N-14).
///
///     0         1                9                 9 + n
///     | version | bytes n of ... | session table   | the machine's, to the end | little-endian
struct machine_image {
  std::vector<std::byte> sessions; ///< As `session_table::save` wrote them.
  std::unique_ptr<snapshot_view> state;

  result<void> write(snapshot_sink& into) const;
};

/// Reads the front of an image; the machine's own bytes are what is left in `from`.
result<raft::session_table> read_sessions(snapshot_source& from, raft::session_table::replies rule);

} // namespace caucus
