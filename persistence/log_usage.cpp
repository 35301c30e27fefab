#include "persistence/log_usage.hpp"

namespace caucus::persistence {

uint64_t log_usage::file_bytes() const {
  uint64_t sum = 0;
  for (const auto& x : segments)
    sum += x.file_bytes;
  return sum;
}

uint64_t log_usage::live_bytes() const {
  uint64_t sum = 0;
  for (const auto& x : segments)
    sum += x.live_bytes;
  return sum;
}

bool log_usage::wants_collection(uint64_t segment_bytes) const {
  return can_collect() && file_bytes() > 2 * live_bytes() + 2 * segment_bytes;
}

} // namespace caucus::persistence
