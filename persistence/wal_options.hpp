#pragma once

#include "base/ids.hpp"

#include <cstdint>

namespace caucus::persistence {

/// How a log lies on its disk and what is kept of it in memory. All in bytes.
struct wal_options {
  /// Size of a segment file. A batch that doesn't fit into an empty one gets a file of its own
  /// size.
  uint64_t segment_bytes = uint64_t{64} << 20;
  /// No batch may be larger; recovery takes no more memory than this for what a header announces.
  uint64_t batch_bytes_max = uint64_t{256} << 20;
  /// Newest entries of each group handed to its core at start.
  uint64_t recovered_tail_bytes = uint64_t{16} << 20;
  /// The same for all groups together: with many groups each gets its share.
  uint64_t recovered_tail_bytes_total = uint64_t{64} << 20;
  /// Zeros are written this far in front of the log's end, so that a batch overwrites blocks that
  /// have been written before. 0: never.
  uint64_t zero_ahead_bytes = uint64_t{256} << 10;
  /// Segments that were given up and are kept to be written over: their blocks are faster than new
  /// ones. Each takes as much of the disk as a segment. 0: none.
  uint64_t spare_segments_max = 2;
  /// Identity of the directory if it is new; 0: drawn from the system's randomness. Simulations
  /// set it.
  directory_id new_directory;
};

} // namespace caucus::persistence
