#pragma once

#include "persistence/file.hpp"

#include <list>
#include <mutex>

namespace caucus::persistence {

/// Segment files kept open for reading, the most recently used ones. Thread-safe. The directory
/// must outlive it.
class segment_files {
public:
  explicit segment_files(directory& dir, size_t open_max = 16) noexcept
    : directory_{dir}, open_max_{open_max} {}

  /// Stays usable for its holder when the file is closed here or removed.
  result<std::shared_ptr<file>> open(uint64_t sequence);

  /// The segment was removed: its blocks are free once the last holder is done.
  void forget(uint64_t sequence);

  /// For messages.
  [[nodiscard]] std::string path(uint64_t sequence) const;

private:
  struct open_segment {
    uint64_t sequence;
    std::shared_ptr<file> content;
  };

  directory& directory_;
  size_t open_max_;
  std::mutex mutex_;
  std::list<open_segment> recent_; ///< The last used first.
};

} // namespace caucus::persistence
