#pragma once

#include "base/ring.hpp"
#include "raft/entry.hpp"

#include <optional>

namespace caucus::raft {

/// Until when nobody else can lead: who answered a heartbeat votes for nobody for an election
/// timeout. Counted from when the heartbeat was *sent*, on the monotonic clock, and looked at for
/// each read (RELIABILITY S-33).
class lease {
public:
  /// A heartbeat round leaves. Rounds ascend.
  void sent(read_context round, int64_t now_ns) {
    // When answers lag so far behind, the rounds on their way are near enough to one another.
    if (!is_over_ && rounds_.size() < rounds_max)
      rounds_.push_back({round, now_ns});
  }

  /// A quorum has answered the round `upto`, and with it those before.
  void confirm(read_context upto) {
    while (!rounds_.empty() && rounds_.front().round <= upto)
      from_ns_ = rounds_.pop_front().sent_ns;
  }

  [[nodiscard]] bool holds(int64_t now_ns, int64_t duration_ns) const noexcept {
    return from_ns_ && !is_over_ && now_ns - *from_ns_ < duration_ns;
  }

  /// Other members decide from now on: only what they answer counts.
  void change_members() noexcept { from_ns_.reset(); }

  /// For the rest of this leadership: somebody was allowed to campaign in spite of it.
  void end() noexcept {
    is_over_ = true;
    rounds_.clear();
  }

private:
  static constexpr size_t rounds_max = 64;

  struct heartbeat_round {
    read_context round;
    int64_t sent_ns = 0;
  };

  ring<heartbeat_round> rounds_; ///< On their way.
  std::optional<int64_t> from_ns_;
  bool is_over_ = false;
};

} // namespace caucus::raft
