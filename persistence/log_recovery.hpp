#pragma once

#include "persistence/wal_scan.hpp"

namespace caucus::persistence {

/// A log as it was read.
struct recovered_log {
  wal_recovery recovery;
  wal_scan::end end;        ///< Where it goes on.
  uint64_t needed_from = 1; ///< Segments before this one aren't needed any more.
};

/// Reads all of the log that `catalog` lists, as a start does, and fills `index`. Writes nothing.
/// If there are no segments, the directory's identity stays 0. Its error is what refuses a start.
result<recovered_log> recover_log(directory& dir, const wal_options& options,
                                  const segment_catalog& catalog,
                                  const std::shared_ptr<log_index>& index,
                                  const recovery_progress& progress = {});

} // namespace caucus::persistence
