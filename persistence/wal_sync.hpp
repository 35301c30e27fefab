#pragma once

#include "persistence/file.hpp"

namespace caucus::persistence {

/// Syncs that may be under way at once: the next batch's while one is.
inline constexpr size_t syncs_max = 2;

/// A sync that is to make one batch of the log durable, with all before it. Begun by
/// `wal::begin_commit`, told to `wal::end_commit`.
class wal_sync {
public:
  wal_sync(std::shared_ptr<file> segment, uint64_t batch) noexcept
    : segment_{std::move(segment)}, batch_{batch} {}

  /// Blocks. On any thread, beside the log's own and another sync.
  result<void> run() const { return segment_->sync(); }
  /// The newest that it covers.
  [[nodiscard]] uint64_t batch() const noexcept { return batch_; }

private:
  std::shared_ptr<file> segment_;
  uint64_t batch_;
};

} // namespace caucus::persistence
