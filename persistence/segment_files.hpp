#pragma once

#include "persistence/file.hpp"

#include <list>
#include <mutex>
#include <vector>

namespace caucus::persistence {

/// Segment files kept open for reading, the most recently used ones. Thread-safe. The directory
/// must outlive it.
class segment_files {
public:
  explicit segment_files(directory& dir, size_t open_max = 16) noexcept
    : directory_{dir}, open_max_{open_max} {}

  /// Stays usable for its holder when the file is closed here or removed.
  result<std::shared_ptr<file>> open(uint64_t sequence);

  /// These segments were removed or renamed: their blocks are free once the last holder is done.
  void forget_upto(uint64_t sequence);

  /// Whether somebody may still read this segment, which was forgotten and has another name: what
  /// is in its file must stay then. If not, nobody ever will.
  [[nodiscard]] bool is_held(uint64_t sequence);

  /// For messages.
  [[nodiscard]] std::string path(uint64_t sequence) const;

private:
  struct open_segment {
    uint64_t sequence;
    std::shared_ptr<file> content;
  };

  /// Under the lock.
  std::shared_ptr<file> find(uint64_t sequence);

  /// One that was given to somebody.
  struct handed_out {
    uint64_t sequence;
    std::weak_ptr<file> content;
  };

  directory& directory_;
  uint64_t forgotten_upto_ = 0;
  size_t open_max_;
  std::mutex mutex_;
  std::list<open_segment> recent_; ///< The last used first.
  std::vector<handed_out> handed_out_;
  std::list<uint64_t> being_opened_;
};

} // namespace caucus::persistence
