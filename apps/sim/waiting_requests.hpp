#pragma once

#include "raft/ready.hpp"

#include <algorithm>
#include <vector>

namespace caucus::sim {

/// Which client waits for what: the attempt tells its answer from one to an earlier attempt.
struct caller {
  uint32_t client = 0;
  uint32_t operation = 0;
  uint32_t attempt = 0;
};

/// One node's callers, as its shell keeps them: by request until the command has a place in the
/// log, then by that place until the entry's fate is known.
class waiting_requests {
public:
  void add(request_id request, caller who) { unplaced_.push_back({request, {}, who}); }

  /// @returns who asked; a client 0 if nobody waits any more.
  caller place(request_id request, raft::entry_id where, bool is_passed) {
    const auto who = forget(request);
    if (who.client != 0 && !is_passed)
      placed_.push_back({request, where, who});
    return who;
  }
  caller forget(request_id request) {
    const auto found = std::find_if(unplaced_.begin(), unplaced_.end(),
                                    [=](const waiting& x) { return x.request == request; });
    if (found == unplaced_.end())
      return {};
    const auto who = found->who;
    unplaced_.erase(found);
    return who;
  }

  /// Calls `answer(who, is_its_own)` for each who waits at this index.
  template <class Answer>
  void settle(raft::entry_id applied, Answer&& answer) {
    for (size_t i = 0; i < placed_.size();)
      if (placed_[i].where.index <= applied.index) {
        const auto x = placed_[i];
        placed_.erase(placed_.begin() + static_cast<std::ptrdiff_t>(i));
        answer(x.who, x.where == applied);
      } else {
        ++i;
      }
  }

  template <class Answer>
  void clear(Answer&& answer) {
    for (const auto& x : std::exchange(unplaced_, {}))
      answer(x.who);
    for (const auto& x : std::exchange(placed_, {}))
      answer(x.who);
  }

private:
  struct waiting {
    request_id request;
    raft::entry_id where;
    caller who;
  };

  std::vector<waiting> unplaced_;
  std::vector<waiting> placed_;
};

} // namespace caucus::sim
