#pragma once

#include "tests/unit/persistence/collect_fixture.hpp"
#include "tests/unit/persistence/wal_disks.hpp"

#include <algorithm>

namespace caucus::testing {

/// As a power loss leaves it of which nothing is kept that isn't durable.
inline memory_disk copy_of(const memory_disk& disk) {
  return disk.after_crash(std::vector<uint32_t>(disk.crash_choices().size(), 0));
}

inline std::vector<uint64_t> segments_of(const memory_disk& disk) {
  std::vector<uint64_t> found;
  for (const auto& name : disk.names())
    if (const auto sequence = persistence::parse_segment_name(name))
      found.push_back(*sequence);
  return found;
}

inline size_t unfinished_of(const memory_disk& disk) {
  const auto names = disk.names();
  return static_cast<size_t>(
    std::count_if(names.begin(), names.end(), persistence::is_unfinished_segment_name));
}

inline persistence::segment_header header_of(const memory_disk& disk, uint64_t sequence) {
  return *persistence::decode_segment_header(disk.content(persistence::segment_name(sequence)));
}

/// How many segments on the disk were others before.
inline size_t recycled_of(const memory_disk& disk) {
  const auto all = segments_of(disk);
  return static_cast<size_t>(std::count_if(all.begin(), all.end(), [&](auto sequence) {
    const auto header =
      persistence::decode_segment_header(disk.content(persistence::segment_name(sequence)));
    return header && header->recycled_from != 0;
  }));
}

/// A log of one group that forgets all but its newest entry at each step, so that its segments are
/// given up as fast as it grows.
struct recycling_log {
  memory_disk disk;
  persistence::wal_options options = tiny_segments();
  storage node;
  uint64_t last = 0;

  explicit recycling_log(size_t spares_max = 2) {
    options.spare_segments_max = spares_max;
    node = start(disk, options);
    node.log->add(descriptor(group_a));
    node.commit();
  }

  void put() {
    ++last;
    node.put(group_a, entries(last, last, 1, std::string(500, 'x')));
  }

  /// Forgets all that was put, and gives up what nothing needs any more.
  void shorten() {
    node.log->add(group_a, mark(boundary(last, 1), boundary(last, 1)));
    node.commit();
    persistence::segment_collector collector{node.log->reader()};
    while (node.log->usage().segments.size() > 1)
      REQUIRE(*collect_step(*node.log, collector, 1 << 20) != persistence::collected::nothing);
  }

  [[nodiscard]] uint64_t newest() const { return segments_of(disk).back(); }
  void begin_next() {
    for (const auto now = newest(); newest() == now;)
      put();
  }
  /// Until the newest segment is one that was written over, with a few batches in it.
  void recycle() {
    for (int i = 0; i < 4; ++i) {
      begin_next();
      shorten();
    }
    begin_next();
    REQUIRE(header_of(disk, newest()).recycled_from != 0);
    for (int i = 0; i < 3; ++i)
      put();
  }

  void kill() {
    node = {};
    disk.kill();
  }
};

} // namespace caucus::testing
