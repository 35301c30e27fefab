#pragma once

#include "base/assert.hpp"
#include "persistence/batch_header.hpp"

#include <limits>
#include <vector>

namespace caucus::persistence {

/// Where records begin in their segment's file, in the order of the log: four bytes each. Not
/// thread-safe.
class record_places_in_segment {
public:
  record_places_in_segment() = default;
  explicit record_places_in_segment(uint64_t offset) { add(offset); }

  void add(uint64_t offset) {
    const auto step = offset / batch_alignment;
    CAUCUS_ASSERT(offset % batch_alignment == 0 && step <= std::numeric_limits<uint32_t>::max());
    steps_.push_back(static_cast<uint32_t>(step));
  }

  [[nodiscard]] size_t size() const noexcept { return steps_.size(); }
  [[nodiscard]] uint64_t operator[](size_t i) const { return steps_[i] * batch_alignment; }

private:
  std::vector<uint32_t> steps_;
};

} // namespace caucus::persistence
