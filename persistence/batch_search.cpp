#include "persistence/batch_search.hpp"

#include <cstring>

namespace caucus::persistence {

namespace {

constexpr size_t block_bytes = size_t{1} << 20;

/// Where the zeros at the end of `bytes` begin.
size_t nonzero_size(std::span<const std::byte> bytes) {
  size_t size = bytes.size();
  // Most of what is looked at are zeros that nobody has written over.
  for (uint64_t word = 0; size >= sizeof word; size -= sizeof word) {
    std::memcpy(&word, bytes.data() + size - sizeof word, sizeof word);
    if (word != 0)
      break;
  }
  while (size > 0 && bytes[size - 1] == std::byte{0})
    --size;
  return size;
}

} // namespace

result<uint64_t> search_batches(read_window& window, directory_id directory, log_position from,
                                uint64_t file_bytes, const batch_found& found) {
  uint64_t nonzero_end = 0;
  for (auto begin = from.offset; begin < file_bytes; begin += block_bytes) {
    auto block = window.at(begin, block_bytes);
    if (!block)
      return std::move(block).reason();
    const auto used = nonzero_size(*block);
    if (used == 0)
      continue;
    nonzero_end = begin + used;
    // The block is read again for a header that its end cuts: rare, and simpler than an overlap.
    std::vector<uint64_t> candidates;
    for (size_t i = 0; i < used; i += batch_alignment)
      if (may_begin_batch(block->subspan(i)))
        candidates.push_back(begin + i);
    for (const auto offset : candidates) {
      auto bytes = window.at(offset, batch_header_bytes);
      if (!bytes)
        return std::move(bytes).reason();
      if (const auto header = decode_batch_header(*bytes, {directory, from.segment, offset}))
        found(offset, *header);
    }
  }
  return nonzero_end;
}

} // namespace caucus::persistence
