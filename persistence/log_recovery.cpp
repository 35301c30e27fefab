#include "persistence/log_recovery.hpp"

#include "persistence/segment_files.hpp"

#include <algorithm>

namespace caucus::persistence {

result<recovered_log> recover_log(directory& dir, const wal_options& options,
                                  const segment_catalog& catalog,
                                  const std::shared_ptr<log_index>& index,
                                  const recovery_progress& progress) {
  recovered_log found;
  auto& recovery = found.recovery;
  recovery.was_empty = catalog.segments.empty();
  const auto oldest = recovery.was_empty ? 1 : catalog.segments.front().header.sequence;
  wal_replay replay{options, index, oldest > 1};
  if (!recovery.was_empty) {
    wal_scan scan{dir, options, catalog, replay, progress};
    auto end = scan.run();
    if (!end)
      return std::move(end).reason();
    found.end = *std::move(end);
    found.needed_from =
      std::max(catalog.segments.back().header.oldest_segment, replay.needed_from());
    if (oldest > found.needed_from)
      return damaged_log(dir, segment_name(found.needed_from) + " is missing");
    recovery.directory = catalog.segments.front().header.directory;
  }
  recovery.boot = found.end.epoch + 1;
  recovery.bytes_read = found.end.bytes_read;
  recovery.warnings = catalog.warnings;
  recovery.warnings.insert(recovery.warnings.end(), found.end.warnings.begin(),
                           found.end.warnings.end());
  segment_files files{dir};
  auto whole = replay.finish(files, recovery);
  if (!whole && whole.reason().code == errc::wal_corrupt)
    return damaged_log(dir, whole.reason().what);
  if (!whole)
    return std::move(whole).reason();
  return found;
}

} // namespace caucus::persistence
