#pragma once

#include "persistence/log_end.hpp"
#include "persistence/segment_catalog.hpp"
#include "persistence/wal_replay.hpp"

#include <deque>

namespace caucus::persistence {

/// Reads all segments of a log in order, decides where it ends, and gives every batch to a replay.
/// Writes nothing, so that it may be repeated after a crash at any point (RELIABILITY W-08).
class wal_scan {
public:
  /// Where the next batch goes, and what was found on the way there.
  struct end {
    log_position tail;        ///< Behind the last batch.
    uint64_t unproven = 0;    ///< In the same file: behind the last batch known to be durable.
    uint64_t dead_end = 0;    ///< In the same file: behind writes that were never completed.
    bool is_recycled = false; ///< That file: all of its blocks have been written.
    uint64_t last_batch = 0;  ///< Its number; 0 if there was none.
    boot_count epoch;         ///< The newest one seen.
    uint64_t bytes_read = 0;
    std::vector<std::string> warnings;
  };

  wal_scan(directory& dir, const wal_options& options, const segment_catalog& catalog,
           wal_replay& replay, const recovery_progress& progress);

  /// Precondition: the catalog has a segment.
  result<end> run();

private:
  /// `next`: the following segment, or null for the newest.
  result<void> scan_segment(const segment_catalog::segment& segment,
                            const segment_catalog::segment* next);
  /// True if a whole and intact batch was applied, false if there is none here.
  result<bool> scan_batch(read_window& window, uint64_t file_bytes);
  /// Decides what an unreadable batch means: damage (applied as far as it can be, or refused) or,
  /// if false, the end of the log.
  result<bool> judge(read_window& window, uint64_t file_bytes, bool is_closed);
  /// The next batch's header, if it is here.
  result<std::optional<batch_header>> header_here(read_window& window, uint64_t file_bytes);
  result<void> apply(std::span<const std::byte> batch, const batch_header& header, bool is_intact);
  void report_torn_tail(const log_end& rest);
  void report_progress(uint64_t offset);

  directory& directory_;
  wal_options options_;
  const segment_catalog& catalog_;
  wal_replay& replay_;
  const recovery_progress& progress_;
  directory_id directory_id_;
  uint64_t bytes_before_ = 0; ///< Of the segments already read.
  uint64_t bytes_total_ = 0;
  uint64_t reported_ = 0;
  /// Of the segment being read: batches that none after them says to be durable.
  struct place {
    uint64_t batch = 0;
    uint64_t offset = 0;
  };
  std::deque<place> unproven_;
  end end_;
};

} // namespace caucus::persistence
