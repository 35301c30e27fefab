#include "persistence/log_recovery.hpp"

namespace caucus::persistence {

result<recovered_log> recover_log(directory& dir, const wal_options& options,
                                  const segment_catalog& catalog,
                                  const std::shared_ptr<log_index>& index,
                                  const recovery_progress& progress) {
  recovered_log found;
  wal_replay replay{options, index};
  auto& recovery = found.recovery;
  recovery.was_empty = catalog.segments.empty();
  if (!recovery.was_empty) {
    wal_scan scan{dir, options, catalog, replay, progress};
    auto end = scan.run();
    if (!end)
      return std::move(end).reason();
    found.end = *std::move(end);
    recovery.directory = catalog.segments.front().header.directory;
  }
  recovery.boot = found.end.epoch + 1;
  recovery.bytes_read = found.end.bytes_read;
  recovery.warnings = catalog.warnings;
  recovery.warnings.insert(recovery.warnings.end(), found.end.warnings.begin(),
                           found.end.warnings.end());
  replay.finish(recovery);
  return found;
}

} // namespace caucus::persistence
