#include "base/assert.hpp"
#include "membership/configuration_codec.hpp"
#include "raft/core.hpp"

#include <algorithm>

namespace caucus::raft {

bool core::follow(node_id from, term_t term) {
  if (term < term_) {
    ++noise_.stale_term;
    return false;
  }
  become_follower_of(from, term);
  return true;
}

void core::become_follower_of(node_id from, term_t term) {
  // A second leader of our own term is a broken promise somewhere: stop (RELIABILITY P-13).
  CAUCUS_ASSERT(term > term_ || role() != role::leader);
  become_follower(term, from);
  std::get<follower_role>(role_).is_leader_unreachable = false;
  is_counted_on_ = false;
  elapsed_ = 0;
}

void core::on(node_id from, append_entries& x) {
  if (follow(from, x.term))
    accept_entries(from, x);
  else // So that it learns of our term and steps down (S-09).
    reply_when_durable(from, append_reply{.term = term_, .prev = x.prev.index});
}

void core::accept_entries(node_id from, append_entries& x) {
  const auto proven = x.prev.index + x.entries.size(); // Never more than the request says (S-19).
  if (!skip_compacted(x)) {
    // All of it was committed and compacted here, so it matches (P-08).
    reply_when_durable(
      from, append_reply{
              .term = term_, .accepted = true, .match = proven, .priority = options_.priority});
    return;
  }
  if (!log_.terms().contains(x.prev)) {
    const auto hint = log_.terms().last_up_to(x.prev.index, x.prev.term);
    reply_when_durable(
      from, append_reply{
              .term = term_, .prev = x.prev.index, .hint = hint, .priority = options_.priority});
    return;
  }
  // Cut at the first entry that differs and nowhere else: a delayed append must not erase what we
  // acknowledged since (S-26).
  auto fresh = std::find_if_not(x.entries.begin(), x.entries.end(),
                                [this](const auto& e) { return log_.terms().contains(e->id); });
  if (fresh != x.entries.end() && !has_room_)
    return; // As if it had been lost: its leader asks again.
  if (fresh != x.entries.end() && (*fresh)->id.index <= log_.last())
    cut_from((*fresh)->id.index);
  for (; fresh != x.entries.end(); ++fresh)
    adopt(std::move(*fresh));
  set_commit(std::min(x.leader_commit, proven)); // Only what this message proved (S-22, P-10).
  reply_when_durable(
    from,
    append_reply{.term = term_, .accepted = true, .match = proven, .priority = options_.priority},
    proven);
}

void core::cut_from(index_t from) {
  CAUCUS_ASSERT(from > commit_); // State machine safety (thesis §3.6.3, P-07).
  log_.truncate_from(from);
  if (configurations_.truncate_from(from))
    announce_configuration();
}

void core::adopt(entry_ptr x) {
  wall_ns_ = std::max(wall_ns_, x->wall_ns);
  if (x->body.kind == entry_kind::configuration) { // In force at once (thesis §4.1).
    auto members = membership::decode_payload(x->body.payload.span());
    CAUCUS_ASSERT(members.has_value()); // Else the message wasn't plausible.
    configurations_.append(x->id.index, *std::move(members));
    announce_configuration();
  }
  log_.append(std::move(x));
}

/// Drops the part that was compacted here: it was committed, so it equals ours. False if nothing
/// else is left.
bool core::skip_compacted(append_entries& x) const {
  const auto before = log_.before();
  if (x.prev.index >= before.index)
    return true;
  const auto known = before.index - x.prev.index;
  if (x.entries.size() < known)
    return false;
  x.prev = before;
  x.entries.erase(x.entries.begin(), x.entries.begin() + static_cast<std::ptrdiff_t>(known));
  return true;
}

void core::on(node_id from, const heartbeat& x) {
  if (follow(from, x.term)) {
    if (x.commit <= log_.last())
      set_commit(x.commit);
    else // More than we ever acknowledged: not provable here.
      ++noise_.invalid;
  }
  // An older leader learns our term by it; before that is durable we promise nothing (P-02).
  if (promise_after() == persist_seq{}) {
    const bool is_promise = x.term == term_ && options_.lease;
    if (is_promise) {
      renew_promise();
      is_renewing_promise_ = true;
    }
    out_.heartbeat_replies.push_back({.to = from,
                                      .term = term_,
                                      .commit = {},
                                      .context = x.context,
                                      .promise_ns = is_promise ? promise_ns() : 0});
  }
}

} // namespace caucus::raft
