#include "raft/sessions.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <functional>
#include <limits>

namespace caucus::raft {

namespace {

using verdict_kind = enum session_verdict::kind;

session_verdict refusal(errc reason, sequence_t expected = {}) {
  return {.kind = verdict_kind::refuse, .reason = reason, .expected = expected};
}

int64_t saturating_sum(int64_t a, int64_t b) {
  return a > std::numeric_limits<int64_t>::max() - b ? std::numeric_limits<int64_t>::max() : a + b;
}

} // namespace

session_verdict session_table::judge(const entry& next) {
  CAUCUS_ASSERT_MSG(!awaited_, "the outcome of entry " + std::to_string(awaited_.value())
                                 + " must be recorded first");
  CAUCUS_ASSERT_MSG(next.id.index > applied_, "entry " + std::to_string(next.id.index.value())
                                                + " comes after entry "
                                                + std::to_string(applied_.value()));
  applied_ = next.id.index;
  now_ns_ = std::max(now_ns_, next.wall_ns);
  expire();
  switch (next.body.kind) {
    case entry_kind::command: return judge_command(next);
    case entry_kind::session: return judge_session(next);
    case entry_kind::no_op:
    case entry_kind::configuration:
    case entry_kind::internal: break;
  }
  return {};
}

session_verdict session_table::judge_command(const entry& next) {
  if (!next.body.session) {
    awaited_ = next.id.index;
    return {.kind = verdict_kind::execute};
  }
  const auto found = sessions_.find(next.body.session);
  if (found == sessions_.end())
    return refusal(errc::session_expired);
  auto& owner = found->second;
  owner.active_ns = now_ns_;
  forget_below(owner, next.body.lowest_unanswered);
  const auto sequence = next.body.sequence;
  if (sequence < owner.floor)
    return refusal(errc::session_stale);
  if (sequence < owner.next)
    return {.kind = verdict_kind::answer,
            .outcome = owner.kept[owner.head + (sequence - owner.floor)]};
  if (sequence > owner.next)
    return refusal(errc::session_gap, owner.next);
  // Refused here, the sequence stays the next one: the client sends it again when it has given up
  // older replies.
  if (is_full(owner, sequence))
    return refusal(errc::session_window, owner.next);
  awaited_ = next.id.index;
  executing_ = &owner;
  return {.kind = verdict_kind::execute};
}

session_verdict session_table::judge_session(const entry& next) {
  const auto decoded = decode_session_command(next.body.payload.span());
  // Nobody but a newer or broken program writes such an entry. It changes nothing, on any replica.
  if (!decoded)
    return refusal(errc::rejected_by_machine);
  if (const auto* limits = std::get_if<open_session>(&*decoded))
    return open(next, *limits);
  const auto found = sessions_.find(next.body.session);
  if (found == sessions_.end())
    return refusal(errc::session_expired);
  erase(found);
  return {.kind = verdict_kind::closed};
}

session_verdict session_table::open(const entry& next, const open_session& limits) {
  if (sessions_.size() >= limits.sessions_max)
    return refusal(errc::sessions_exhausted);
  const session_id id{next.id.index.value()};
  auto& added = sessions_[id];
  added.timeout_ns = limits.timeout_ns;
  added.reply_bytes_max = limits.reply_bytes_max;
  added.active_ns = now_ns_;
  schedule(id, added);
  return {.kind = verdict_kind::opened, .session = id};
}

void session_table::record(const entry& executed, command_outcome outcome) {
  CAUCUS_ASSERT_MSG(awaited_ == executed.id.index, "entry "
                                                     + std::to_string(executed.id.index.value())
                                                     + " wasn't the one to execute");
  awaited_ = {};
  if (auto* owner = std::exchange(executing_, nullptr))
    keep(*owner, std::move(outcome));
}

bool session_table::is_full(const session& owner, sequence_t sequence) const noexcept {
  return sequence >= owner.floor + window
         || (replies_ == replies::kept && owner.reply_bytes >= owner.reply_bytes_max);
}

void session_table::keep(session& owner, command_outcome outcome) {
  // Where the client can't be made to wait for room, an older reply makes it.
  for (auto i = owner.head; replies_ == replies::may_be_lost && i < owner.kept.size()
                            && owner.reply_bytes + outcome.reply.size() > owner.reply_bytes_max;
       ++i)
    lose(owner, owner.kept[i]);
  owner.reply_bytes += outcome.reply.size();
  reply_bytes_ += outcome.reply.size();
  owner.kept.push_back(std::move(outcome));
  ++owner.next;
}

void session_table::lose(session& owner, command_outcome& victim) {
  owner.reply_bytes -= victim.reply.size();
  reply_bytes_ -= victim.reply.size();
  victim = {errc::reply_lost, {}};
}

void session_table::forget_below(session& owner, sequence_t floor) {
  // A client can't have an answer to what wasn't executed.
  floor = std::min(floor, owner.next);
  while (owner.floor < floor) {
    auto& oldest = owner.kept[owner.head];
    owner.reply_bytes -= oldest.reply.size();
    reply_bytes_ -= oldest.reply.size();
    oldest = {};
    ++owner.head;
    ++owner.floor;
  }
  if (owner.head == owner.kept.size() || owner.head >= window) {
    owner.kept.erase(owner.kept.begin(),
                     owner.kept.begin() + static_cast<std::ptrdiff_t>(owner.head));
    owner.head = 0;
  }
}

void session_table::expire() {
  while (!deadlines_.empty() && deadlines_.front().at_ns < now_ns_) {
    std::pop_heap(deadlines_.begin(), deadlines_.end(), std::greater{});
    const auto due = deadlines_.back().id;
    deadlines_.pop_back();
    const auto found = sessions_.find(due);
    if (found == sessions_.end())
      continue; // Closed meanwhile.
    if (now_ns_ - found->second.active_ns > found->second.timeout_ns)
      erase(found);
    else
      schedule(due, found->second);
  }
}

void session_table::erase(std::unordered_map<session_id, session>::iterator victim) {
  reply_bytes_ -= victim->second.reply_bytes;
  sessions_.erase(victim);
}

void session_table::schedule(session_id id, const session& owner) {
  // Clients that open and close in a loop must not fill memory with deadlines of the dead.
  if (deadlines_.size() > 2 * sessions_.size() + 64) {
    std::erase_if(deadlines_, [this](const deadline& x) { return !sessions_.contains(x.id); });
    std::make_heap(deadlines_.begin(), deadlines_.end(), std::greater{});
  }
  deadlines_.push_back({saturating_sum(owner.active_ns, owner.timeout_ns), id});
  std::push_heap(deadlines_.begin(), deadlines_.end(), std::greater{});
}

} // namespace caucus::raft
