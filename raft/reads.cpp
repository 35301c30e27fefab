// Reads without log entries (thesis §6.4): whoever answers must have led at some moment after the
// read was asked, and have known then all that was committed.

#include "base/assert.hpp"
#include "membership/quorum.hpp"
#include "raft/core.hpp"

namespace caucus::raft {

namespace {

/// A read in vain is refused after so many ticks.
uint64_t patience(const core_options& x) noexcept { return 2 * uint64_t{x.election_ticks}; }

} // namespace

void core::check_lease_options() const {
  if (!options_.lease)
    return;
  CAUCUS_ASSERT(options_.check_quorum); // Who checks no quorum would also lead alone for ever.
  CAUCUS_ASSERT(options_.tick_ns > 0);
  CAUCUS_ASSERT(options_.clock_drift_max_ns >= 0);
  CAUCUS_ASSERT(options_.clock_drift_max_ns < promise_ns());
}

void core::on(const read& x) {
  if (x.consistency == consistency::stale) {
    out_.reads_ready.push_back({x.request, apply_.applied()});
    return;
  }
  if (refuse_as_outsider(x.request))
    return;
  auto* leading = as<leader_role>();
  auto* following = as<follower_role>();
  if (leader_ == node_id{}) {
    out_.refused.push_back({x.request, errc::no_leader, {}});
  } else if (waiting_reads() >= options_.reads_max) {
    out_.refused.push_back({x.request, errc::proposal_dropped, leader_});
  } else if (leading != nullptr) {
    leading->idle_ticks = 0;
    const bool is_by_lease =
      x.consistency == consistency::lease && options_.lease && has_committed_in_term();
    (is_by_lease ? leading->lease_reads : leading->reads)
      .push({.request = x.request, .came_tick = ticks_});
  } else {
    following->reads.push({.request = x.request, .came_tick = ticks_});
  }
}

size_t core::waiting_reads() const noexcept {
  if (const auto* leading = as<leader_role>())
    return leading->reads.size() + leading->lease_reads.size();
  const auto* following = as<follower_role>();
  return following == nullptr ? 0 : following->reads.size();
}

// -- leader ---------------------------------------------------------------------

/// Before that, a new leader may not know what its predecessors committed (P-15, S-31).
bool core::has_committed_in_term() const noexcept {
  return commit_ >= std::get<leader_role>(role_).term_start;
}

bool core::wants_round() const noexcept {
  const auto& leading = std::get<leader_role>(role_);
  return leading.is_heartbeat_due || !leading.lease_reads.empty()
         || (leading.reads.has_new() && has_committed_in_term());
}

/// One round of heartbeats for whatever has come since the last ready: it's here, and not when the
/// reads come, that many of them share one.
void core::send_round() {
  auto& leading = std::get<leader_role>(role_);
  while (!leading.lease_reads.empty()) {
    const auto x = leading.lease_reads.pop();
    const auto lasts_ns = promise_ns() - options_.clock_drift_max_ns;
    if (!is_handing_over() && leading.right.holds(now_.mono_ns, lasts_ns))
      out_.reads_ready.push_back({x.request, commit_});
    else
      leading.reads.push(x);
  }
  const bool is_asked = leading.reads.has_new() && has_committed_in_term();
  if (!leading.is_heartbeat_due && !is_asked)
    return;
  read_context round;
  if (!leading.reads.empty() || options_.lease) {
    round = ++leading.last_round;
    if (has_committed_in_term())
      leading.reads.attempt(round, commit_);
    if (options_.lease)
      leading.right.sent(round, now_.mono_ns);
    confirm_reads(); // Who is the only voter has heard its quorum.
  }
  if (!leading.is_heartbeat_due && leading.reads.empty())
    return;
  // A peer's commit never exceeds what is known to match there: the rest of its log may be another
  // leader's.
  for (const auto& peer : leading.peers)
    out_.heartbeats.push_back(
      {.to = peer.id, .term = term_, .commit = std::min(peer.match, commit_), .context = round});
  leading.is_heartbeat_due = false;
  leading.heartbeat_elapsed = 0;
}

void core::on_echo(progress& peer, const heartbeat_reply& x) {
  auto& leading = std::get<leader_role>(role_);
  const auto round = x.context;
  if (round > leading.last_round) {
    ++noise_.beyond_sent;
  } else if (round > peer.echoed) {
    peer.echoed = round;
    // Options may differ while they are changed one node after the other (ADR 0012).
    if (x.promise_ns >= promise_ns())
      peer.promised = round;
    confirm_reads();
  }
}

read_context core::round_of_quorum(read_context progress::*answered) const {
  const auto& leading = std::get<leader_role>(role_);
  const auto by_quorum = membership::committed_index(members(), [&](node_id id) {
    if (id == options_.self)
      return index_t{leading.last_round.value()};
    const auto* peer = leading.peers.find(id);
    return peer == nullptr ? index_t{} : index_t{(peer->*answered).value()};
  });
  return std::min(read_context{by_quorum.value()}, leading.last_round);
}

/// Answers what a quorum of echoes confirms: nobody else led when the youngest of them was sent.
void core::confirm_reads() {
  auto& leading = std::get<leader_role>(role_);
  if (options_.lease) // A quorum that keeps still: no other has a majority without one of it.
    leading.right.confirm(round_of_quorum(&progress::promised));
  const auto confirmed = round_of_quorum(&progress::echoed);
  while (const auto x = leading.reads.pop_confirmed(confirmed))
    if (x->asker == node_id{})
      out_.reads_ready.push_back({x->request, x->index});
    else
      out_.messages.push_back({x->asker, read_index_reply{.context = x->asked, .index = x->index}});
}

void core::on(node_id from, const read_index& x) {
  auto* leading = as<leader_role>();
  if (!members().is_member(from)) {
    ++noise_.not_member;
  } else if (leading == nullptr) {
    out_.messages.push_back(
      {from, read_index_reply{.context = x.context, .refused = errc::not_leader}});
  } else if (waiting_reads() >= options_.reads_max) {
    out_.messages.push_back(
      {from, read_index_reply{.context = x.context, .refused = errc::proposal_dropped}});
  } else {
    leading->idle_ticks = 0;
    leading->reads.push({.asker = from, .asked = x.context, .came_tick = ticks_});
  }
}

// -- follower -------------------------------------------------------------------

bool core::wants_to_ask() const noexcept {
  const auto* following = as<follower_role>();
  return following != nullptr && (following->reads.has_new() || following->is_ask_due);
}

/// One question for all reads that wait. A repeated one has a number of its own, which differs from
/// those of earlier lives too: an answer that got lost for long must not serve a newer read.
void core::ask_leader() {
  constexpr int boot_bits = 24;
  auto& following = std::get<follower_role>(role_);
  ++asked_;
  const read_context number{options_.boot << (64 - boot_bits) | asked_};
  following.reads.attempt(number, {});
  following.is_ask_due = false;
  following.asked_tick = ticks_;
  out_.messages.push_back({leader_, read_index{number}});
}

void core::on(node_id from, const read_index_reply& x) {
  auto* following = as<follower_role>();
  auto next = following != nullptr && from == leader_ ? following->reads.pop_confirmed(x.context)
                                                      : std::nullopt;
  if (!next)
    ++noise_.stale_reply; // Asked in an earlier life, or answered already.
  for (; next; next = following->reads.pop_confirmed(x.context))
    if (x.refused == errc::none)
      out_.reads_ready.push_back({next->request, x.index});
    else
      out_.refused.push_back({next->request, x.refused, {}});
  if (following != nullptr && following->reads.empty())
    following->is_ask_due = false;
}

// -- both -----------------------------------------------------------------------

void core::refuse_read(const read_queue::waiting& x) {
  if (x.asker == node_id{})
    out_.refused.push_back({x.request, errc::read_unconfirmed, {}});
  else
    out_.messages.push_back(
      {x.asker, read_index_reply{.context = x.asked, .refused = errc::read_unconfirmed}});
}

/// The leader is lost: what it told, or was about to, is of no use any more.
void core::refuse_reads() {
  if (auto* leading = as<leader_role>()) {
    while (!leading->lease_reads.empty())
      refuse_read(leading->lease_reads.pop());
    while (!leading->reads.empty())
      refuse_read(leading->reads.pop());
  } else if (auto* following = as<follower_role>()) {
    while (!following->reads.empty())
      refuse_read(following->reads.pop());
    following->is_ask_due = false;
  }
}

/// Refuses what waits too long; a follower asks again before that.
void core::tick_reads() {
  auto* leading = as<leader_role>();
  auto* following = as<follower_role>();
  if (leading == nullptr && following == nullptr)
    return;
  auto& queue = leading == nullptr ? following->reads : leading->reads;
  if (ticks_ >= patience(options_))
    while (const auto x = queue.pop_older(ticks_ - patience(options_)))
      refuse_read(*x);
  const auto retry = std::max(1U, options_.election_ticks / 2);
  if (following != nullptr)
    following->is_ask_due = !queue.empty() && following->asked_tick + retry <= ticks_;
}

// -- the other side of a lease ----------------------------------------------------

void core::renew_promise() {
  if (options_.lease && term_ != term_t{})
    promised_until_ns_ = std::max(promised_until_ns_, now_.mono_ns + promise_ns());
}

/// Whether a leader may rely on our keeping still, in whatever term we are by now. Not the same as
/// `is_leader_alive`, which a higher term or a campaign of our own makes forget.
bool core::is_promised() const noexcept {
  return options_.lease && now_.mono_ns < promised_until_ns_;
}

} // namespace caucus::raft
