#pragma once

#include "base/assert.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

namespace caucus::sim {

/// What happens next, and to whom.
enum class event_kind : uint8_t {
  tick,
  deliver,    ///< `arg`: the packet's slot.
  flush,      ///< Take the ready that several inputs have filled.
  disk_start, ///< What was handed over is written.
  disk_done,  ///< What was written is durable.
  notice,     ///< `persisted` reaches the core.
  apply,
  read_done,
  client, ///< `arg`: which client wakes up.
  fault,
  restart,
  snapshot_made,
  snapshot_arrives, ///< `arg`: its place among those that travel.
  snapshot_stored,
  eager_change,
  replacement, ///< An operator sees to a damaged node.
};

/// One entry of the queue; small, as they are moved about.
struct event {
  int64_t at_us = 0;
  uint32_t arg = 0;
  uint32_t life = 0; ///< Of the node, when this was planned; a crash makes it void.
  event_kind kind = event_kind::tick;
  uint8_t node = 0;
};

/// Events by time, of two at the same time the older one first. A radix heap: nothing is planned
/// before what was popped last, so an event waits in the bucket of the highest bit in which its
/// time differs from that one's, and comes down a bucket or more each time its bucket is the
/// lowest. All moves keep the order of age. (Ahuja, Mehlhorn, Orlin and Tarjan 1990.)
class event_queue {
public:
  [[nodiscard]] bool empty() const noexcept { return occupied_ == 0; }

  /// When the next one happens. Precondition: not empty.
  [[nodiscard]] int64_t next_us() const noexcept { return earliest(buckets_[lowest()]); }

  /// Precondition: not before the one that was popped last.
  void push(const event& x) {
    CAUCUS_ASSERT(x.at_us >= popped_us_);
    const auto which =
      static_cast<size_t>(std::bit_width(static_cast<uint64_t>(x.at_us ^ popped_us_)));
    buckets_[which].push_back(x);
    occupied_ |= uint64_t{1} << which;
  }

  /// Precondition: not empty.
  event pop() {
    if (const auto which = lowest(); which != 0)
      return bring_down(which);
    auto& now = buckets_[0];
    const auto first = now[taken_++];
    if (taken_ == now.size()) {
      now.clear();
      taken_ = 0;
      occupied_ &= ~uint64_t{1};
    }
    return first;
  }

private:
  [[nodiscard]] size_t lowest() const noexcept {
    return static_cast<size_t>(std::countr_zero(occupied_));
  }

  static int64_t earliest(const std::vector<event>& among) noexcept {
    auto at_us = among.front().at_us;
    for (const auto& x : among)
      at_us = std::min(at_us, x.at_us);
    return at_us;
  }

  /// The first of this bucket; the others go into those below, which are empty.
  event bring_down(size_t which) {
    auto& from = buckets_[which];
    popped_us_ = earliest(from);
    occupied_ &= ~(uint64_t{1} << which);
    size_t next = 0;
    for (; from[next].at_us != popped_us_; ++next)
      push(from[next]);
    const auto first = from[next];
    for (++next; next < from.size(); ++next)
      push(from[next]);
    from.clear();
    return first;
  }

  std::array<std::vector<event>, 64> buckets_; ///< The lowest: all at `popped_us_`.
  uint64_t occupied_ = 0;                      ///< A bit for each bucket that isn't empty.
  size_t taken_ = 0;                           ///< Of the lowest.
  int64_t popped_us_ = 0;
};

} // namespace caucus::sim
