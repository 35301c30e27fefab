#include "persistence/segment_usage.hpp"

#include "base/assert.hpp"

namespace caucus::persistence {

void segment_usage::add_segment(uint64_t sequence, uint64_t file_bytes) {
  CAUCUS_ASSERT(segments_.empty() || sequence == newest() + 1);
  segments_.push_back({.sequence = sequence, .file_bytes = file_bytes});
}

segment_usage::segment* segment_usage::find(uint64_t sequence) {
  if (segments_.empty() || sequence < oldest() || sequence > newest())
    return nullptr;
  return &segments_[sequence - oldest()];
}

void segment_usage::replace(record_place& place, record_place by) {
  if (auto* old = find(place.segment)) {
    --old->records;
    old->bytes -= place.bytes;
  }
  place = by;
  if (auto* now = find(place.segment)) {
    ++now->records;
    now->bytes += place.bytes;
  }
}

} // namespace caucus::persistence
