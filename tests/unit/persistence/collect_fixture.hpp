#pragma once

#include "persistence/batch_header.hpp"
#include "persistence/record.hpp"
#include "persistence/segment_collector.hpp"
#include "persistence/segment_header.hpp"
#include "tests/unit/persistence/mark_fixture.hpp"

namespace caucus::testing {

inline persistence::wal_options tiny_segments() {
  auto x = small_options();
  x.segment_bytes = 16 << 10;
  return x;
}

inline storage start_with(memory_disk& disk, std::initializer_list<group_id> groups) {
  auto node = start(disk, tiny_segments());
  uint64_t uid = 7;
  for (auto group : groups)
    node.log->add(descriptor(group, uid++));
  return node;
}

/// Entries of term 1 and about half a kilobyte, each in a batch of its own.
inline void grow(storage& node, group_id group, uint64_t first, uint64_t last) {
  for (auto index = first; index <= last; ++index)
    node.put(group, entries(index, index, 1, std::string(500, 'x')));
}

/// Steps as long as too much is there; how many segments went.
inline uint64_t collect(storage& node, size_t bytes_max = 2 << 10) {
  persistence::segment_collector collector{node.log->reader()};
  const auto oldest = node.log->oldest_segment();
  while (node.log->usage().wants_collection(tiny_segments().segment_bytes)) {
    const auto done = collect_step(*node.log, collector, bytes_max);
    if (!done)
      FAIL(to_string(done.reason()));
    REQUIRE(*done != persistence::collected::nothing);
  }
  return node.log->oldest_segment() - oldest;
}

/// Damages the bodies of all records of this kind that the group has.
inline void flip_all(memory_disk& disk, group_id group, persistence::record_kind kind) {
  using namespace persistence;
  bool found = false;
  for (const auto& name : disk.names()) {
    const auto content = disk.content(name);
    for (size_t at = segment_header_bytes; at + record_header_bytes < content.size(); at += 8) {
      const auto header = decode_record_header(std::span{content}.subspan(at));
      if (!header || header->group != group || header->kind != kind)
        continue;
      const auto flipped = content[at + record_header_bytes + 10] ^ std::byte{1};
      disk.overwrite(name, at + record_header_bytes + 10, {&flipped, 1});
      found = true;
    }
  }
  REQUIRE(found);
}

} // namespace caucus::testing
