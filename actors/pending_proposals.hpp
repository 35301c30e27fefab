#pragma once

#include "actors/caller.hpp"
#include "raft/ready.hpp"

#include <deque>
#include <optional>

namespace caucus {

/// The callers of one replica: first by request, while it isn't known whether their commands find a
/// place in the log; then by that place, until the entry's fate is known there.
class pending_proposals {
public:
  struct proposal {
    caller who;
    int64_t deadline_ns = 0; ///< Monotonic.
    uint64_t session = 0;
    uint64_t sequence = 0;
  };

  [[nodiscard]] bool is_empty() const noexcept { return unplaced_.empty() && placed_.empty(); }

  request_id add(proposal added);

  /// The proposal has a place; `applied` is what the machine was given so far: a place at or below
  /// it comes too late to know.
  void place(request_id request, raft::entry_id where, index_t applied);
  /// It never gets a place: it was refused, or is no command.
  void answer(request_id request, outcome result);

  /// The entry is committed here: its caller waits for the machine now, and callers whose entries
  /// lost this or an earlier place are told that they weren't executed.
  std::optional<caller> settle(raft::entry_id committed);

  /// Unknown for those whose entries come after `index`: of them we may never hear.
  void abandon_after(index_t index);
  /// A snapshot that ends here was put in the log's place: what became of those who wait for it
  /// nobody here learns.
  void pass(index_t upto);

  /// Unknown for those whose deadline passed: their entries may still commit.
  void expire(int64_t now_ns);
  void cancel(const caf::strong_actor_ptr& asker, uint64_t session, uint64_t sequence);
  /// Everybody. Nobody may be told `not_executed`: who has no place here may have been forwarded to
  /// a leader who has one for him.
  void answer_all(const outcome& told);

private:
  struct placed_proposal {
    raft::entry_id where;
    proposal what;
  };

  void forget_answered_front();

  uint64_t first_request_ = 1;
  std::deque<proposal> unplaced_;        ///< Request first_request_ + position.
  std::deque<placed_proposal> placed_;   ///< Ascending by index.
  int64_t next_deadline_ns_ = INT64_MAX; ///< No deadline is earlier.
};

} // namespace caucus
