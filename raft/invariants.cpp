#include "raft/invariants.hpp"

#include "base/assert.hpp"

namespace caucus::raft {

void invariants::check(const core& x) {
  check_log(x.log_);
  CAUCUS_ASSERT(x.term_ >= x.log_.last_entry().term);
  CAUCUS_ASSERT(x.commit_ <= x.log_.last());
  CAUCUS_ASSERT(x.commit_ >= x.log_.before().index);
  CAUCUS_ASSERT(x.apply_.applied() <= x.apply_.handed());
  CAUCUS_ASSERT(x.apply_.handed() <= x.applicable());
  CAUCUS_ASSERT(x.durable_ < x.next_seq_);
  CAUCUS_ASSERT(x.promise_seq_ < x.next_seq_);
  CAUCUS_ASSERT(x.leader_ == node_id{} || x.leader_ == x.leader_of_term_);
  CAUCUS_ASSERT(x.waiting_reads() <= x.options_.reads_max);
  CAUCUS_ASSERT(x.elapsed_ <= x.timeout_ || x.role() != role::follower);
  CAUCUS_ASSERT(!x.handover_ || x.handover_->term <= x.term_);
  check_configurations(x);
  check_role(x);
  if (x.is_asleep_)
    check_sleeper(x);
}

// Nothing is owed to anybody, and there is a leader to wake.
void invariants::check_sleeper(const core& x) {
  CAUCUS_ASSERT(x.options_.quiesce_ticks > 0);
  CAUCUS_ASSERT(x.leader_ != node_id{});
  CAUCUS_ASSERT(x.commit_ == x.log_.last());
  CAUCUS_ASSERT(x.waiting_reads() == 0);
  CAUCUS_ASSERT(!x.handover_);
  CAUCUS_ASSERT(!x.apply_.is_read_failed());
  if (const auto* following = x.as<follower_role>()) {
    CAUCUS_ASSERT(following->forwarded.empty());
    return;
  }
  const auto* leading = x.as<leader_role>();
  CAUCUS_ASSERT(leading != nullptr);
  for (const auto& peer : leading->peers)
    CAUCUS_ASSERT(peer.match == x.log_.last());
}

void invariants::check_configurations(const core& x) {
  const auto& known = x.configurations_.known_;
  CAUCUS_ASSERT(!known.empty());
  CAUCUS_ASSERT(known.front().id <= x.log_.before().index);
  CAUCUS_ASSERT(known.back().id <= x.log_.last());
  for (size_t i = 0; i < known.size(); ++i) {
    const auto& members = *known[i].members;
    // Who joins an existing group knows nobody at first.
    const bool is_nobody_known = i == 0 && members.members().empty();
    CAUCUS_ASSERT_MSG(is_nobody_known || membership::find_flaw(members).empty(),
                      membership::find_flaw(members));
    if (i == 0)
      continue;
    const auto& before = *known[i - 1].members;
    CAUCUS_ASSERT(known[i - 1].id < known[i].id);
    CAUCUS_ASSERT(before.voters.empty() || membership::may_follow(before, members));
  }
  if (x.role() != role::leader || known.size() < 2 || known.back().id <= x.commit_)
    return;
  // One change in flight: on top of another that may not last, ours would differ by too much.
  const bool is_ours = x.log_.terms().term_at(known.back().id) == x.term_;
  CAUCUS_ASSERT(!is_ours || known[known.size() - 2].id <= x.commit_);
}

void invariants::check_log(const log& x) {
  CAUCUS_ASSERT(x.persisted_ <= x.handed_);
  CAUCUS_ASSERT(x.handed_ <= x.last());
  CAUCUS_ASSERT(x.persisted_ >= x.before().index);
  CAUCUS_ASSERT(x.tail_first_ + x.tail_.size() == x.last() + 1);
  CAUCUS_ASSERT(x.tail_first_ <= x.persisted_ + 1); // What isn't durable is in memory.
  for (size_t i = 0; i < x.in_flight_.size(); ++i) {
    CAUCUS_ASSERT(x.in_flight_[i].last <= x.handed_);
    CAUCUS_ASSERT(i == 0 || x.in_flight_[i - 1].seq < x.in_flight_[i].seq);
    CAUCUS_ASSERT(i == 0 || x.in_flight_[i - 1].last <= x.in_flight_[i].last);
  }
}

void invariants::check_role(const core& x) {
  switch (x.role()) {
    case role::follower: {
      const auto& forwarded = x.as<follower_role>()->forwarded;
      CAUCUS_ASSERT(x.leader_ != x.options_.self);
      CAUCUS_ASSERT(forwarded.empty() || x.leader_ != node_id{});
      CAUCUS_ASSERT(forwarded.size() <= x.options_.forwarded_max);
      CAUCUS_ASSERT(x.waiting_reads() == 0 || x.leader_ != node_id{});
      break;
    }
    case role::pre_candidate: CAUCUS_ASSERT(x.leader_ == node_id{}); break;
    case role::candidate:
      CAUCUS_ASSERT(x.leader_ == node_id{});
      CAUCUS_ASSERT(x.voted_for_ == x.options_.self);
      break;
    case role::leader: {
      const auto& leading = *x.as<leader_role>();
      CAUCUS_ASSERT(x.leader_ == x.options_.self);
      CAUCUS_ASSERT(x.voted_for_ == x.options_.self);
      CAUCUS_ASSERT(x.promise_after() == persist_seq{});
      CAUCUS_ASSERT(leading.term_start <= x.log_.last());
      CAUCUS_ASSERT(leading.term_start < x.log_.before().index
                    || x.log_.terms().term_at(leading.term_start) == x.term_);
      CAUCUS_ASSERT(leading.term_start <= x.log_.before().index + 1
                    || x.log_.terms().term_at(leading.term_start - 1) < x.term_);
      for (const auto& peer : leading.peers)
        check_peer(x, peer);
      for (auto id : x.members().members())
        CAUCUS_ASSERT(id == x.options_.self || leading.peers.find(id) != nullptr);
      break;
    }
  }
}

void invariants::check_peer(const core& x, const progress& peer) {
  CAUCUS_ASSERT(peer.id != x.options_.self);
  CAUCUS_ASSERT((peer.leaves_at == index_t{}) == x.members().is_member(peer.id));
  CAUCUS_ASSERT(peer.match < peer.next);
  CAUCUS_ASSERT(peer.next <= x.log_.last() + 1);
  CAUCUS_ASSERT(peer.match <= peer.sent);
  CAUCUS_ASSERT(peer.sent <= x.log_.last());
  CAUCUS_ASSERT(peer.commit_told <= x.commit_);
  CAUCUS_ASSERT(peer.echoed <= x.as<leader_role>()->last_round);
  CAUCUS_ASSERT(peer.window.messages() <= x.options_.inflight_messages_max);
  CAUCUS_ASSERT(peer.state == progress_state::replicate || peer.window.messages() == 0);
  CAUCUS_ASSERT(peer.state != progress_state::snapshot || peer.next <= x.log_.before().index);
}

void invariants::check_step(const core_status& before, const core_status& after) {
  CAUCUS_ASSERT(before.self == after.self);
  CAUCUS_ASSERT(before.term <= after.term);
  CAUCUS_ASSERT(before.commit <= after.commit);
  CAUCUS_ASSERT(before.applied <= after.applied);
  CAUCUS_ASSERT(before.first <= after.first);
  if (before.term != after.term)
    return;
  CAUCUS_ASSERT(before.voted_for == node_id{} || before.voted_for == after.voted_for);
  CAUCUS_ASSERT(before.leader == node_id{} || after.leader == node_id{}
                || before.leader == after.leader);
  if (before.role != role::leader || after.role != role::leader)
    return;
  CAUCUS_ASSERT(before.last <= after.last); // A leader never truncates (thesis §3.5).
  CAUCUS_ASSERT(before.persisted <= after.persisted);
  for (const auto& then : before.peers)
    for (const auto& now : after.peers)
      // Who was removed and comes back starts anew.
      CAUCUS_ASSERT(then.id != now.id || then.is_leaving != now.is_leaving
                    || then.match <= now.match);
}

} // namespace caucus::raft
