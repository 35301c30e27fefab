#pragma once

#include "base/result.hpp"
#include "persistence/log_position.hpp"
#include "raft/entry.hpp"

#include <deque>
#include <vector>

namespace caucus::persistence {

class segment_files;

/// Where the newest entries of one group are, while the log is read. They are read again only at
/// the end: most of them are dropped before.
class recovered_tail {
public:
  /// The body of a record of entries, whose checksum was found right.
  struct record_body {
    log_position at;
    uint32_t bytes = 0;
    uint32_t crc = 0;
  };

  /// `body` holds `first..last` and nothing damaged.
  void append(const record_body& body, index_t first, index_t last);
  /// The same of a record of entries that were moved: takes what of `first..last` isn't there.
  void fill(const record_body& body, index_t first, index_t last);
  void truncate(index_t from);
  /// Drops entries up to and with this one.
  void drop_upto(index_t last);
  /// Drops the oldest records until at most `bytes_max` are left, or the newest record alone.
  void shrink(uint64_t bytes_max);
  [[nodiscard]] uint64_t bytes() const noexcept { return bytes_; }

  /// Contiguous up to the last; each entry keeps its record's bytes and those around alive.
  /// `wal_corrupt`, with file and offset, if other bytes come back than before.
  [[nodiscard]] result<std::vector<raft::entry_ptr>> read(segment_files& log) const;

private:
  struct chunk {
    index_t first; ///< More, ...
    index_t last;  ///< ... or less than what the record holds once that was truncated.
    record_body body;
  };

  std::deque<chunk> chunks_;
  uint64_t bytes_ = 0;
};

} // namespace caucus::persistence
