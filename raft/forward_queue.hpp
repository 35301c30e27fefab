#pragma once

#include "base/ring.hpp"
#include "raft/entry.hpp"

#include <optional>

namespace caucus::raft {

/// A follower's proposals on their way to the leader, in the order in which they were sent. Each
/// gets exactly one answer: the leader's, or "nobody knows" when the link or the leader is lost.
class forward_queue {
public:
  struct proposal {
    request_id request;
    uint64_t bytes = 0;
    uint64_t sent_tick = 0;
  };

  [[nodiscard]] size_t size() const noexcept { return waiting_.size(); }
  [[nodiscard]] bool empty() const noexcept { return waiting_.empty(); }
  [[nodiscard]] uint64_t bytes() const noexcept { return bytes_; }
  /// Precondition: not empty.
  [[nodiscard]] const proposal& oldest() const noexcept { return waiting_.front(); }

  void push(proposal x) {
    bytes_ += x.bytes;
    waiting_.push_back(x);
  }

  proposal pop() {
    auto x = waiting_.pop_front();
    bytes_ -= x.bytes;
    return x;
  }

  /// Takes out the one that was answered; false if none waits by that number. Answers come in the
  /// order of the questions, so it is nearly always the oldest.
  bool remove(request_id request) {
    for (size_t i = 0; i < waiting_.size(); ++i)
      if (waiting_[i].request == request) {
        bytes_ -= waiting_[i].bytes;
        waiting_.erase(i);
        return true;
      }
    return false;
  }

private:
  ring<proposal> waiting_;
  uint64_t bytes_ = 0;
};

} // namespace caucus::raft
