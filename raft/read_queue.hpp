#pragma once

#include "base/ring.hpp"
#include "raft/entry.hpp"

#include <optional>

namespace caucus::raft {

/// Reads that wait for a confirmation, in the order in which they came. A leader's are confirmed by
/// its heartbeat rounds, a follower's by its leader. Either numbers its attempts: the answer to one
/// confirms every read that had come when it was made, and none that came later, so that neither a
/// late nor a repeated answer can vouch for a read that it knows nothing of (RELIABILITY P-16,
/// S-32). An attempt that is lost costs nothing: the next one confirms the same reads.
class read_queue {
public:
  struct waiting {
    request_id request; ///< Our shell's; 0 if another node asks.
    node_id asker;      ///< Who else asks, and by what number.
    read_context asked;
    uint64_t came_tick = 0;
    read_context attempt; ///< The first that may confirm it; 0: none was made yet.
    index_t index;        ///< Leader: the commit index when it was made.
  };

  [[nodiscard]] size_t size() const noexcept { return waiting_.size(); }
  [[nodiscard]] bool empty() const noexcept { return waiting_.empty(); }
  /// Whether a read has come since the last attempt.
  [[nodiscard]] bool has_new() const noexcept { return attempted_ < waiting_.size(); }

  void push(waiting x) { waiting_.push_back(x); }

  /// An attempt is made now, for all that have come. Attempts ascend.
  void attempt(read_context number, index_t index) {
    for (; attempted_ < waiting_.size(); ++attempted_) {
      waiting_[attempted_].attempt = number;
      waiting_[attempted_].index = index;
    }
  }

  /// Takes out the next that the attempt `upto`, or an earlier one, confirms.
  std::optional<waiting> pop_confirmed(read_context upto) {
    if (attempted_ == 0 || waiting_.front().attempt > upto)
      return std::nullopt;
    return pop();
  }

  /// Takes out the next that came at or before `tick`.
  std::optional<waiting> pop_older(uint64_t tick) {
    if (waiting_.empty() || waiting_.front().came_tick > tick)
      return std::nullopt;
    return pop();
  }

  /// Precondition: not empty.
  waiting pop() {
    attempted_ -= attempted_ > 0 ? 1 : 0;
    return waiting_.pop_front();
  }

private:
  ring<waiting> waiting_;
  size_t attempted_ = 0; ///< How many, from the front, have an attempt.
};

} // namespace caucus::raft
