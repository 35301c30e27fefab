#pragma once

#include <compare>
#include <cstdint>

namespace caucus::persistence {

/// A byte of the log: segments are numbered from 1 and named by their number.
struct log_position {
  uint64_t segment = 0;
  uint64_t offset = 0;

  friend auto operator<=>(const log_position&, const log_position&) = default;
};

} // namespace caucus::persistence
