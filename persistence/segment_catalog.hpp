#pragma once

#include "persistence/file.hpp"
#include "persistence/segment_header.hpp"

namespace caucus::persistence {

/// What a directory holds of a log: its segments in order and what an interrupted start or rotation
/// left over. Reading it writes nothing.
struct segment_catalog {
  struct segment {
    segment_header header;
    uint64_t bytes = 0; ///< Size of the file.
  };

  std::vector<segment> segments;      ///< Ascending, without a gap. Whether older ones that are
                                      ///< needed are missing, the log's records tell.
  std::vector<std::string> leftovers; ///< Names to be removed: unfinished, or not needed any more.
  std::vector<std::string> warnings;

  /// Refuses with `identity_mismatch` what belongs to another node or cluster, with
  /// `version_mismatch` a newer format, with `wal_corrupt` a missing or damaged segment.
  static result<segment_catalog> read(directory& dir, const wal_identity& self);
};

/// A damaged log, with what to do about it.
error damaged_log(const directory& dir, std::string_view where_and_what);

} // namespace caucus::persistence
