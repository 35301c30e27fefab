#pragma once

#include "persistence/carried.hpp"
#include "persistence/log_reader.hpp"

namespace caucus::persistence {

class wal;

/// Reads, in small steps and beside the writer, what a segment still has of entries and small
/// snapshots, for the log to write again. One thread.
class segment_collector {
public:
  explicit segment_collector(std::shared_ptr<log_reader> reader) noexcept
    : reader_{std::move(reader)} {}

  /// About `bytes_max` of what the segment has; nothing if there was none left at the last commit.
  /// Its error is that of the read: the segment can't be collected then.
  result<std::optional<carried>> next(uint64_t segment, size_t bytes_max);

private:
  std::shared_ptr<log_reader> reader_;
  uint64_t segment_ = 0;
  std::vector<log_index::stretch> left_;
};

enum class collected : uint8_t {
  nothing, ///< There is nothing to do: it is the newest, or damaged groups pin it.
  written, ///< Moved entries need no sync of their own: the segment goes only after one.
  durable, ///< All that was committed is, too.
  removed, ///< A segment.
};

/// For a thread that has both, as a simulated node's: one step of collecting the oldest segment.
result<collected> collect_step(wal& log, segment_collector& from, size_t bytes_max);

} // namespace caucus::persistence
