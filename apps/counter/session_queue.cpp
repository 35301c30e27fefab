#include "session_queue.hpp"

namespace counter {

namespace {

void tell(operation& who, answer result) {
  if (who.done)
    std::exchange(who.done, nullptr)(std::move(result));
}

answer rejected(std::string reason) {
  return {.kind = answer::kind::rejected, .reason = std::move(reason)};
}

std::string describe(const caucus::outcome& x) {
  std::string text{to_string(x.reason)};
  return x.detail.empty() ? text : text + ": " + x.detail;
}

} // namespace

void session_queue::add(operation what) { slots_.push_back({.what = std::move(what)}); }

void session_queue::opened(uint64_t session) { session_ = session; }

std::vector<session_queue::attempt> session_queue::take_sendable(clock::time_point now,
                                                                 size_t via) {
  std::vector<attempt> result;
  if (session_ == 0 || is_expired_)
    return result;
  for (size_t i = 0; i < slots_.size() && i < window; ++i) {
    auto& next = slots_[i];
    if (next.attempt != 0 || next.is_settled)
      continue;
    if (next.send_at > now)
      break; // What comes behind it would only be answered with a gap.
    next.attempt = ++last_attempt_;
    next.via = via;
    caucus::command body;
    body.session = session_;
    body.sequence = first_ + i;
    body.lowest_unanswered = first_;
    body.payload = caucus::shared_bytes::copy_of(next.what.payload);
    result.push_back({next.attempt, epoch_, std::move(body)});
  }
  return result;
}

session_queue::slot* session_queue::find(const attempt& which) {
  if (which.epoch != epoch_ || which.body.sequence < first_
      || which.body.sequence - first_ >= slots_.size())
    return nullptr;
  auto& found = slots_[which.body.sequence - first_];
  return found.is_settled ? nullptr : &found;
}

void session_queue::on_outcome(const attempt& which, const caucus::outcome& told,
                               clock::time_point now) {
  auto* found = find(which);
  if (!found)
    return;
  // These two are the session's own record of this sequence: true of every attempt, also of a late
  // one.
  if (told.kind == caucus::outcome_kind::committed) {
    settle(*found, {answer::kind::ok, std::string{told.reply.view()}, {}, told.term, told.index});
    return;
  }
  if (told.reason == caucus::errc::rejected_by_machine) {
    settle(*found, rejected(told.detail));
    return;
  }
  if (found->attempt != which.id)
    return; // Was given up as lost; it still is one that may be executed.
  if (told.kind == caucus::outcome_kind::unknown) {
    lose(*found);
    found->send_at = now + retry_after_;
    found->obstacle = describe(told);
    if (is_expired_)
      leave_session();
  } else {
    found->attempt = 0;
    refuse(*found, told, now);
  }
}

void session_queue::refuse(slot& x, const caucus::outcome& told, clock::time_point now) {
  x.obstacle = describe(told);
  if (told.reason == caucus::errc::session_stale) {
    // Can't be: we name as unanswered what we wait for. Whoever broke it, it was executed.
    settle(x, {.kind = answer::kind::unknown, .reason = x.obstacle});
    return;
  }
  if (told.reason == caucus::errc::session_expired) {
    is_expired_ = true;
    leave_session();
    return;
  }
  x.send_at = now + retry_after_;
}

void session_queue::lose(slot& x) {
  x.attempt = 0;
  x.may_be_executed = true;
}

void session_queue::on_silence(const attempt& which) {
  auto* found = find(which);
  if (!found || found->attempt != which.id)
    return;
  lose(*found);
  found->obstacle = "timeout";
  if (is_expired_)
    leave_session();
}

void session_queue::on_node_lost(size_t via) {
  for (auto& x : slots_)
    if (x.attempt != 0 && x.via == via) {
      lose(x);
      x.obstacle = "node lost";
    }
  if (is_expired_)
    leave_session();
}

void session_queue::settle(slot& x, answer result) {
  x.attempt = 0;
  x.is_settled = true;
  tell(x.what, std::move(result));
  forget_settled_front();
  if (is_expired_)
    leave_session();
}

void session_queue::forget_settled_front() {
  while (!slots_.empty() && slots_.front().is_settled) {
    slots_.pop_front();
    ++first_;
  }
}

void session_queue::leave_session() {
  for (auto& x : slots_)
    if (x.attempt != 0)
      return; // Its answer may still be a good one.
  std::deque<slot> kept;
  for (auto& x : slots_) {
    if (x.may_be_executed)
      tell(x.what, {.kind = answer::kind::unknown, .reason = "session_expired"});
    else if (!x.is_settled && x.what.done)
      kept.push_back(std::move(x)); // In no log: as good as new.
  }
  slots_ = std::move(kept);
  first_ = 1;
  session_ = 0;
  ++epoch_;
  is_expired_ = false;
}

void session_queue::expire(clock::time_point now, const std::string& obstacle) {
  for (size_t i = slots_.size(); i-- > 0;)
    if (slots_[i].what.done && slots_[i].what.deadline <= now)
      give_up(i, obstacle);
  forget_settled_front();
}

void session_queue::give_up(size_t position, const std::string& obstacle) {
  auto& x = slots_[position];
  auto reason = x.obstacle.empty() ? obstacle : x.obstacle;
  if (x.attempt != 0 || x.may_be_executed) {
    tell(x.what, {.kind = answer::kind::unknown, .reason = "timeout"});
    return;
  }
  tell(x.what, rejected(std::move(reason)));
  for (auto after = position + 1; after < slots_.size(); ++after)
    if (may_run(slots_[after])) {
      x.what.payload = filler_;
      return;
    }
  slots_.erase(slots_.begin() + static_cast<std::ptrdiff_t>(position));
}

} // namespace counter
