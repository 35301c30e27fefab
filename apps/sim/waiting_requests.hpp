#pragma once

#include "raft/ready.hpp"

#include <algorithm>
#include <optional>
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
    const auto read = std::find_if(reads_.begin(), reads_.end(),
                                   [=](const waiting_read& x) { return x.request == request; });
    if (read != reads_.end()) {
      const auto who = read->who;
      reads_.erase(read);
      return who;
    }
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

  /// A snapshot has jumped over it: who waits for `upto` or what comes before learns no fate.
  template <class Answer>
  void jump(index_t upto, Answer&& answer) {
    for (size_t i = 0; i < placed_.size();)
      if (placed_[i].where.index <= upto) {
        const auto who = placed_[i].who;
        placed_.erase(placed_.begin() + static_cast<std::ptrdiff_t>(i));
        answer(who);
      } else {
        ++i;
      }
  }

  /// A read that waits to be confirmed, then for the machine to come so far.
  void add_read(request_id request, caller who, uint32_t object) {
    reads_.push_back({request, who, object, {}});
  }
  void confirm_read(request_id request, index_t index) {
    for (auto& x : reads_)
      if (x.request == request)
        x.index = index;
  }
  /// Calls `answer(who, object)` for each that may be answered now.
  template <class Answer>
  void settle_reads(index_t applied, Answer&& answer) {
    for (size_t i = 0; i < reads_.size();)
      if (reads_[i].index && *reads_[i].index <= applied) {
        const auto x = reads_[i];
        reads_.erase(reads_.begin() + static_cast<std::ptrdiff_t>(i));
        answer(x.who, x.object);
      } else {
        ++i;
      }
  }

  template <class Answer>
  void clear(Answer&& answer) {
    for (const auto& x : std::exchange(reads_, {}))
      answer(x.who);
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

  struct waiting_read {
    request_id request;
    caller who;
    uint32_t object = 0;
    std::optional<index_t> index;
  };

  std::vector<waiting_read> reads_;
  std::vector<waiting> unplaced_;
  std::vector<waiting> placed_;
};

} // namespace caucus::sim
