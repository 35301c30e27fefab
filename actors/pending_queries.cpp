#include "actors/pending_queries.hpp"

#include <algorithm>

namespace caucus {

request_id pending_queries::add(query added) {
  next_deadline_ns_ = std::min(next_deadline_ns_, added.deadline_ns);
  asked_.emplace(++last_, std::move(added));
  return request_id{last_};
}

void pending_queries::set_ready(request_id request, index_t from) {
  if (auto found = asked_.extract(request.value()))
    waiting_.emplace(from, std::move(found.mapped()));
}

void pending_queries::refuse(request_id request, const outcome& result) {
  if (auto found = asked_.extract(request.value()))
    found.mapped().who.answer(result);
}

std::vector<machine_query> pending_queries::take_due(index_t handed_out) {
  std::vector<machine_query> due;
  auto end = waiting_.upper_bound(handed_out);
  for (auto it = waiting_.begin(); it != end; ++it)
    due.push_back(
      {std::move(it->second.question), std::make_shared<caller>(std::move(it->second.who))});
  waiting_.erase(waiting_.begin(), end);
  return due;
}

void pending_queries::refuse_after(index_t index) {
  for (auto it = waiting_.upper_bound(index); it != waiting_.end(); it = waiting_.erase(it))
    it->second.who.answer(
      refusal(errc::not_member, "this node was removed from the group: ask another node"));
}

void pending_queries::expire(int64_t now_ns) {
  if (now_ns < next_deadline_ns_)
    return;
  next_deadline_ns_ = INT64_MAX;
  auto drop_late = [&](auto& queries) {
    for (auto it = queries.begin(); it != queries.end();) {
      if (it->second.deadline_ns <= now_ns) {
        it->second.who.answer(refusal(errc::timeout));
        it = queries.erase(it);
      } else {
        next_deadline_ns_ = std::min(next_deadline_ns_, it->second.deadline_ns);
        ++it;
      }
    }
  };
  drop_late(asked_);
  drop_late(waiting_);
}

void pending_queries::answer_all(const outcome& told) {
  for (auto& [request, x] : asked_)
    x.who.answer(told);
  for (auto& [index, x] : waiting_)
    x.who.answer(told);
  asked_.clear();
  waiting_.clear();
}

} // namespace caucus
