#include "actors/pending_proposals.hpp"

#include <algorithm>

namespace caucus {

request_id pending_proposals::add(proposal added) {
  next_deadline_ns_ = std::min(next_deadline_ns_, added.deadline_ns);
  unplaced_.push_back(std::move(added));
  return request_id{first_request_ + unplaced_.size() - 1};
}

void pending_proposals::place(request_id request, raft::entry_id where, index_t applied) {
  if (request.value() < first_request_ || request.value() - first_request_ >= unplaced_.size())
    return;
  auto& slot = unplaced_[request.value() - first_request_];
  if (slot.who.is_waiting()) {
    if (where.index <= applied) {
      slot.who.answer(refusal(errc::leadership_lost,
                              "the entry's place was passed before the leader "
                              "told it"));
    } else {
      auto after = placed_.end();
      while (after != placed_.begin() && std::prev(after)->where.index > where.index)
        --after; // Forwarded commands may be placed out of order when leaders change.
      placed_.insert(after, {where, std::move(slot)});
    }
  }
  forget_answered_front();
}

void pending_proposals::answer(request_id request, outcome result) {
  if (request.value() < first_request_ || request.value() - first_request_ >= unplaced_.size())
    return;
  unplaced_[request.value() - first_request_].who.answer(std::move(result));
  forget_answered_front();
}

std::optional<caller> pending_proposals::settle(raft::entry_id committed) {
  std::optional<caller> found;
  while (!placed_.empty() && placed_.front().where.index <= committed.index) {
    auto& front = placed_.front();
    if (front.where == committed)
      found = std::move(front.what.who);
    else
      front.what.who.answer(refusal(errc::overwritten));
    placed_.pop_front();
  }
  return found;
}

void pending_proposals::abandon_after(index_t index) {
  for (; !placed_.empty() && placed_.back().where.index > index; placed_.pop_back())
    placed_.back().what.who.answer(refusal(
      errc::left_group, "this node was removed from the group meanwhile: ask another node"));
}

void pending_proposals::pass(index_t upto) {
  for (; !placed_.empty() && placed_.front().where.index <= upto; placed_.pop_front())
    placed_.front().what.who.answer(refusal(errc::snapshot_passed));
}

void pending_proposals::expire(int64_t now_ns) {
  if (now_ns < next_deadline_ns_)
    return;
  next_deadline_ns_ = INT64_MAX;
  auto check = [&](proposal& x) {
    if (!x.who.is_waiting())
      return;
    if (x.deadline_ns <= now_ns)
      x.who.answer(refusal(errc::timeout));
    else
      next_deadline_ns_ = std::min(next_deadline_ns_, x.deadline_ns);
  };
  for (auto& x : unplaced_)
    check(x);
  for (auto& x : placed_)
    check(x.what);
  forget_answered_front();
}

void pending_proposals::cancel(const caf::strong_actor_ptr& asker, uint64_t session,
                               uint64_t sequence) {
  auto check = [&](proposal& x) {
    if (x.who.is_waiting() && x.session == session && x.sequence == sequence
        && x.who.asker() == asker)
      x.who.answer(refusal(errc::cancelled));
  };
  for (auto& x : unplaced_)
    check(x);
  for (auto& x : placed_)
    check(x.what);
  forget_answered_front();
}

void pending_proposals::answer_all(const outcome& told) {
  for (auto& x : unplaced_)
    x.who.answer(told);
  for (auto& x : placed_)
    x.what.who.answer(told);
  first_request_ += unplaced_.size();
  unplaced_.clear();
  placed_.clear();
}

void pending_proposals::forget_answered_front() {
  while (!unplaced_.empty() && !unplaced_.front().who.is_waiting()) {
    unplaced_.pop_front();
    ++first_request_;
  }
}

} // namespace caucus
