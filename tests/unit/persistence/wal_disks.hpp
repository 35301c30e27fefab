#pragma once

#include "persistence/batch_header.hpp"
#include "persistence/segment_header.hpp"
#include "tests/unit/persistence/wal_fixture.hpp"

namespace caucus::testing {

using bytes = std::vector<std::byte>;

/// Where the batches of a segment begin, and behind the last one where they end.
inline std::vector<uint64_t> batch_offsets(const bytes& segment, uint64_t sequence = 1) {
  std::vector<uint64_t> offsets{persistence::segment_header_bytes};
  while (true) {
    const auto header = persistence::decode_batch_header(
      std::span{segment}.subspan(offsets.back()), {directory_id{0xd1}, sequence, offsets.back()});
    if (!header)
      return offsets;
    offsets.push_back(offsets.back() + header->bytes);
  }
}

/// A disk with two groups and a few batches in one segment; the last batch has entry 5 of group a.
inline void fill(memory_disk& disk) {
  auto options = small_options();
  options.segment_bytes = 16 << 10;
  auto node = start(disk, options);
  node.log->add(descriptor(group_a));
  node.log->add(descriptor(group_b, 8));
  node.log->add(group_b, hard(1, 1, 0));
  node.commit();
  node.put(group_a, entries(1, 2, 1));
  node.log->add(group_b, entries(1, 1, 1));
  node.put(group_a, entries(3, 4, 1));
  node.put(group_a, hard(2, 3, 4));
  node.put(group_a, entries(5, 5, 2));
  node = {};
  disk.kill();
}

inline result<storage> try_start_on(const bytes& segment, memory_disk& disk) {
  disk.put(first_segment, segment);
  auto started = try_start(disk, small_options());
  if (!started)
    disk.kill();
  return started;
}

inline bool mentions(const error& x, std::string_view text) {
  return x.what.find(text) != std::string::npos;
}

} // namespace caucus::testing
