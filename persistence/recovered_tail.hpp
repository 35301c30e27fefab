#pragma once

#include "base/shared_bytes.hpp"
#include "raft/entry.hpp"

#include <deque>
#include <span>

namespace caucus::persistence {

/// The newest entries of one group while the log is read, kept as the records they came in and
/// decoded only at the end: most of them are dropped again.
class recovered_tail {
public:
  /// Takes a copy of the body of an `entries` record that holds `first..last` and nothing damaged.
  void append(std::span<const std::byte> body, index_t first, index_t last);
  /// The same of a record of entries that were moved: takes what of `first..last` isn't there.
  void fill(std::span<const std::byte> body, index_t first, index_t last);
  void truncate(index_t from);
  /// Drops entries up to and with this one.
  void drop_upto(index_t last);
  /// Drops the oldest records until at most `bytes_max` are left.
  void shrink(uint64_t bytes_max);
  [[nodiscard]] uint64_t bytes() const noexcept { return bytes_; }

  /// Contiguous up to the last; each entry keeps its record's bytes alive.
  [[nodiscard]] std::vector<raft::entry_ptr> decode() const;

private:
  struct chunk {
    index_t first; ///< More, ...
    index_t last;  ///< ... or less than what the record holds once that was truncated.
    std::shared_ptr<shared_bytes> body;
  };

  std::deque<chunk> chunks_;
  uint64_t bytes_ = 0;
};

} // namespace caucus::persistence
