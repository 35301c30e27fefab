#include "base/assert.hpp"
#include "raft/core.hpp"

namespace caucus::raft {

using membership::vote;
using membership::vote_result;

void core::tick_election() {
  ++elapsed_;
  expire_forwarded();
  if (elapsed_ >= timeout_ && (options_.priority == 0 || !has_room_)) {
    stop_waiting();
  } else if (elapsed_ >= timeout_) {
    // A candidate whose own vote the disk still owes would only count up terms.
    if (role() != role::candidate || promise_after() == persist_seq{})
      start_election(false);
  } else if (role() != role::follower && elapsed_ % options_.heartbeat_ticks == 0) {
    // A request or its answer may be lost, and a voter that still trusted the old leader a tick ago
    // may not do so now: waiting for the next election would cost a whole timeout.
    ask_for_votes();
  }
}

void core::on(const campaign&) {
  if (role() != role::leader && has_room_)
    start_election(false);
}

void core::on(node_id from, const timeout_now& x) {
  if (!follow(from, x.term))
    return;
  if (is_elector() && has_room_)
    start_election(true);
  else
    ++noise_.invalid;
}

void core::start_election(bool is_transfer) {
  CAUCUS_ASSERT(role() != role::leader);
  if (is_promised() && !is_transfer) { // Our own vote, too; the next tick asks again.
    elapsed_ = std::min(elapsed_, timeout_ - 1);
    return;
  }
  // A learner waits, and so does who was removed; but no longer for this leader.
  if (!(is_elector() || is_counted_on_) || is_removed()) {
    stop_waiting();
  } else if (options_.pre_vote && !is_transfer) {
    become_pre_candidate();
  } else {
    become_candidate(is_transfer);
  }
}

/// Whether we may be needed as a leader: by any configuration that may be in force in the end.
/// Maybe only our log is long enough to win (thesis §4.2.2). Our own vote counts by the newest
/// only.
bool core::is_elector() const { return configurations_.is_voter_since(commit_, options_.self); }

/// The leader is gone, and it's for others to follow it.
void core::stop_waiting() {
  set_leader({});
  restart_election_timer();
  call_for_leader();
}

void core::become_pre_candidate() {
  set_leader({}); // Else we would refuse others for a dead leader's sake (RELIABILITY S-12).
  role_ = pre_candidate_role{};
  restart_election_timer();
  // No promise is made: neither term nor vote change (thesis §9.6).
  count_vote(options_.self, true);
  ask_for_votes();
}

void core::become_candidate(bool is_transfer) {
  set_leader({});
  enter_term(term_ + 1);
  voted_for_ = options_.self;
  role_ = candidate_role{.votes = {}, .is_transfer = is_transfer};
  restart_election_timer();
}

void core::ask_once_durable() {
  auto* running = as<candidate_role>();
  // Asking earlier isn't safe: after a crash we would run again in this term with a log that has
  // lost its unsynced end, and count the votes that the longer log had earned.
  if (running->has_asked || promise_after() != persist_seq{})
    return;
  running->has_asked = true;
  count_vote(options_.self, true);
  ask_for_votes();
}

void core::ask_for_votes() {
  const auto* votes = static_cast<const vote_box*>(nullptr);
  request_vote ask{.term = term_, .last = log_.last_entry()};
  if (const auto* sounding = as<pre_candidate_role>()) {
    votes = &sounding->votes;
    ask.term = term_ + 1;
    ask.is_pre_vote = true;
  } else if (const auto* running = as<candidate_role>();
             running && running->has_asked && log_.durable_after({}, next_seq_) == persist_seq{}) {
    votes = &running->votes;
    ask.is_transfer = running->is_transfer;
  } else {
    return;
  }
  for (auto id : members().members()) {
    const auto told = votes->of(id);
    // A refused vote stays refused in its term; what a pre-vote is told may change any moment.
    if (id != options_.self && members().is_voter(id)
        && (told == vote::missing || (told == vote::refused && ask.is_pre_vote)))
      out_.messages.push_back({id, ask});
  }
}

bool core::is_leader_alive() const noexcept {
  return role() == role::leader || (leader_ != node_id{} && elapsed_ < options_.election_ticks);
}

bool core::is_up_to_date(entry_id last) const noexcept {
  const auto ours = log_.last_entry();
  return last.term > ours.term || (last.term == ours.term && last.index >= ours.index);
}

// Whoever is asked, answers, also a learner: it may be a voter by a configuration that it has not
// seen yet (RELIABILITY S-64).
/// By who asks, we vote; by our log, we don't, and that log is the longer one. Of the two, only we
/// can win: as a learner, by the votes of those that our log names (RELIABILITY S-65).
void core::note_vain_request(const request_vote& x) {
  if (!is_elector() && !is_leader_alive() && !is_up_to_date(x.last))
    is_counted_on_ = true;
}

void core::on(node_id from, const request_vote& x) {
  note_vain_request(x);
  if (x.is_pre_vote) {
    on_pre_vote(from, x);
    return;
  }
  if (x.term > term_) {
    // Who lost touch, or was removed, must not depose a leader that others hear (thesis §4.2.3).
    if ((is_leader_alive() || is_promised()) && !x.is_transfer) {
      ++noise_.sticky;
      if (const auto removed_by = removal_of(from); removed_by != index_t{})
        reply_when_durable(from, vote_reply{.term = term_, .removed_by = removed_by});
      return;
    }
    become_follower(x.term, {});
  } else if (x.term < term_) {
    ++noise_.stale_term;
    reply_when_durable(from, vote_reply{.term = term_, .removed_by = removal_of(from)});
    return;
  }
  const bool is_free = voted_for_ == node_id{} && leader_of_term_ == node_id{};
  const bool may_vote = !is_promised() || x.is_transfer;
  const bool is_granted = (voted_for_ == from || (is_free && may_vote)) && is_up_to_date(x.last);
  if (is_granted) {
    voted_for_ = from;
    elapsed_ = 0; // It may need some time to win.
  }
  reply_when_durable(from, vote_reply{.term = term_,
                                      .granted = is_granted,
                                      .removed_by = is_granted ? index_t{} : removal_of(from)});
}

// Changes nothing here: not the term, not the timer (RELIABILITY S-13). A refusal tells our own
// term, so that an asker that lags catches up (S-08).
void core::on_pre_vote(node_id from, const request_vote& x) {
  const bool is_free =
    voted_for_ == from || (voted_for_ == node_id{} && leader_of_term_ == node_id{});
  const bool is_possible = x.term > term_ || (x.term == term_ && is_free);
  if (is_possible && !is_leader_alive() && !is_promised() && is_up_to_date(x.last))
    out_.messages.push_back(
      {from, vote_reply{.term = x.term, .is_pre_vote = true, .granted = true}});
  else
    reply_when_durable(
      from, vote_reply{.term = term_, .is_pre_vote = true, .removed_by = removal_of(from)});
}

void core::on(node_id from, const vote_reply& x) {
  note_removal(from, x);
  if (!members().is_voter(from)) { // Nobody whose vote counts (RELIABILITY S-04).
    ++noise_.not_member;
    return;
  }
  if (x.is_pre_vote && x.granted) { // The term is our question's, not the granter's own (P-02).
    if (role() != role::pre_candidate || x.term != term_ + 1)
      ++noise_.stale_reply;
    else
      count_vote(from, true);
    return;
  }
  if (!is_current_reply(from, x.term))
    return;
  if (role() == (x.is_pre_vote ? role::pre_candidate : role::candidate))
    count_vote(from, x.granted);
  else
    ++noise_.wrong_role;
}

void core::count_vote(node_id from, bool is_granted) {
  if (auto* sounding = as<pre_candidate_role>()) {
    sounding->votes.record(from, is_granted);
    if (sounding->votes.tally(members()) == vote_result::won)
      become_candidate(false);
  } else if (auto* running = as<candidate_role>()) {
    running->votes.record(from, is_granted);
    if (running->has_asked && running->votes.tally(members()) == vote_result::won)
      become_leader();
  }
}

void core::become_leader() {
  CAUCUS_ASSERT(promise_after() == persist_seq{}); // Our vote for ourselves is durable.
  CAUCUS_ASSERT(leader_of_term_ == node_id{});
  const auto before = log_.last();
  role_ = leader_role{.peers = tracker{members(), options_.self, before + 1},
                      .term_start = before + 1,
                      .proposed = uncommitted{before}};
  set_leader(options_.self);
  // Older terms' entries commit only together with one of our own (thesis §3.6.2).
  append_own({.kind = entry_kind::no_op});
  send_heartbeats(); // Also reaches those to whom the no-op can't be sent yet.
}

} // namespace caucus::raft
