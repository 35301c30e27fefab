#pragma once

#include "persistence/kept_snapshot.hpp"
#include "persistence/log_index.hpp"

namespace caucus::persistence {

class directory;
class segment_files;

/// Reads entries back that left memory. Any thread, any number of them, beside the writer. All
/// that it returns was checked: checksums, group, replica, index and term (RELIABILITY E-10, E-13).
/// The directory must outlive it.
class log_reader {
public:
  log_reader(directory& dir, std::shared_ptr<const log_index> index, uint64_t batch_bytes_max);
  ~log_reader();

  /// Entries `first..last`, as many as `bytes_max` of `raft::entry::cost` allow but at least one.
  /// Fewer if the log ends before. `not_found`: the log doesn't have `first` (any more);
  /// `no_such_group`; `wal_corrupt`: what the disk returned isn't what was written, with file and
  /// offset. The payloads may share one buffer.
  result<std::vector<raft::entry_ptr>> read(group_id group, index_t first, index_t last,
                                            size_t bytes_max);

  /// A small snapshot with its bytes; `not_found` if the log has none that ends there (any more).
  result<kept_snapshot> read_snapshot(group_id group, index_t last);

  /// These segments were removed or renamed.
  void forget_upto(uint64_t segment);
  /// Whether such a one may still be read.
  [[nodiscard]] bool holds(uint64_t segment) const;

  [[nodiscard]] const log_index& index() const noexcept { return *index_; }

private:
  struct request;
  class row_scan;

  result<void> read_row(request& wanted, const log_index::located& row);
  result<kept_snapshot> read_snapshot_at(group_id group, index_t last,
                                         const log_index::located& at);

  std::shared_ptr<const log_index> index_;
  uint64_t batch_bytes_max_;
  std::unique_ptr<segment_files> files_;
};

} // namespace caucus::persistence
