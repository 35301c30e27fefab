#pragma once

#include <compare>
#include <cstdint>

namespace caucus {

/// When something happened, as told by whoever calls a pure part: the pure parts own no clock.
struct instant {
  int64_t mono_ns = 0; ///< Monotonic, this process only: leases and deadlines count on it.
  int64_t wall_ns =
    0; ///< Nanoseconds since 1970, may jump: data in entries, never a decision's basis.

  friend constexpr auto operator<=>(const instant&, const instant&) = default;
};

} // namespace caucus
