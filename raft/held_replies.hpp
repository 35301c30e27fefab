#pragma once

#include "raft/message.hpp"
#include "raft/persist_batch.hpp"

#include <vector>

namespace caucus::raft {

/// Replies that promise what is not durable yet, each waiting for its persist batch. They live
/// here, not in the shell, so that whatever a ready contains may be sent at once.
class held_replies {
public:
  /// Holds `reply` until the batch `after` is durable.
  void hold(persist_seq after, envelope reply);
  /// Moves to `out` what no longer waits, in the order in which it was held.
  void release(persist_seq durable, std::vector<envelope>& out);
  /// The term moved on: nobody waits for the answers of the old one, and a new one must not vouch
  /// for them (RELIABILITY S-07).
  void clear() noexcept { held_.clear(); }

  [[nodiscard]] size_t size() const noexcept { return held_.size(); }

private:
  struct held {
    persist_seq after;
    envelope reply;
  };

  /// Whether `next` says all that `x` says, so that a stuck disk and a peer that repeats itself
  /// don't make the queue grow.
  static bool supersedes(const held& next, const held& x);

  std::vector<held> held_;
};

} // namespace caucus::raft
