#pragma once

#include "persistence/record_place.hpp"

#include <cstddef>
#include <deque>

namespace caucus::persistence {

/// The segments of a log, and how much of what is still needed lies in each besides entries and
/// small snapshots, which the index counts. A record that is staged counts for the segment in which
/// its batch may come to lie or an older one: then it is written anew too early, never too late.
/// The WAL's thread.
class segment_usage {
public:
  struct segment {
    uint64_t sequence = 0;
    uint64_t file_bytes = 0;
    uint64_t records = 0; ///< Still needed.
    uint64_t bytes = 0;   ///< Of them.
  };

  void add_segment(uint64_t sequence, uint64_t file_bytes);
  void remove_oldest() { segments_.pop_front(); }

  /// What `place` says is from now on said by another record.
  void replace(record_place& place, record_place by);
  void drop(record_place& place) { replace(place, {}); }

  [[nodiscard]] const std::deque<segment>& segments() const noexcept { return segments_; }
  [[nodiscard]] uint64_t oldest() const noexcept { return segments_.front().sequence; }
  [[nodiscard]] uint64_t newest() const noexcept { return segments_.back().sequence; }

private:
  segment* find(uint64_t sequence);

  std::deque<segment> segments_; ///< Ascending, without a gap.
};

} // namespace caucus::persistence
