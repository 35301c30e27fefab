#include "raft/core.hpp"

#include "base/assert.hpp"
#include "raft/plausible.hpp"

namespace caucus::raft {

namespace {

/// The same seed on every node, or in every group, must not split votes for ever (P-20).
uint64_t mixed_seed(const core_options& x) {
  return rng::mix(rng::mix(rng::mix(x.seed) + x.group.value()) + x.self.value());
}

} // namespace

core::core(core_options options, recovered_state from_disk)
  : options_{options},
    rng_{mixed_seed(options)},
    configurations_{{from_disk.members_id, std::make_shared<const membership::configuration>(
                                             std::move(from_disk.members))},
                    std::move(from_disk.configurations)},
    log_{from_disk},
    // More than the log holds can't have been applied from it (RELIABILITY S-34).
    apply_{std::clamp(from_disk.applied, log_.before().index, log_.last()),
           options.apply_bytes_max},
    term_{from_disk.hard.term},
    voted_for_{from_disk.hard.voted_for},
    // On disk commit is a hint that may lag: what was applied or compacted was committed.
    commit_{std::max(std::min(from_disk.hard.commit, log_.last()), apply_.applied())},
    handed_hard_{from_disk.hard} {
  CAUCUS_ASSERT(options_.self != node_id{});
  CAUCUS_ASSERT(options_.heartbeat_ticks > 0);
  CAUCUS_ASSERT(options_.election_ticks >= 2 * options_.heartbeat_ticks);
  CAUCUS_ASSERT(options_.inflight_messages_max > 0 && options_.inflight_bytes_max > 0);
  CAUCUS_ASSERT(options_.apply_bytes_max > 0);
  CAUCUS_ASSERT(options_.priority <= priority_max);
  CAUCUS_ASSERT(options_.quiesce_ticks == 0 || options_.pre_vote);
  check_lease_options();
  CAUCUS_ASSERT(term_ >= log_.last_entry().term);
  CAUCUS_ASSERT(latest_id() <= log_.last());
  if (log_.tail_first() <= log_.last()) {
    std::vector<entry_ptr> newest;
    log_.copy(log_.last(), log_.last(), 0, newest);
    wall_ns_ = newest.front()->wall_ns;
  }
  restart_election_timer();
  was_outsider_ = is_outsider();
  told_soft_ = soft();
}

void core::step(input in, instant now) {
  now_ = now;
  if (std::exchange(is_fresh_, false))
    renew_promise(); // What an earlier life promised is forgotten, but not void.
  if (is_asleep_)
    wake_for(in);
  std::visit([this](auto& x) { on(x); }, in);
  finish_change();
  note_departure();
  if (const auto now_soft = soft(); now_soft != told_soft_) {
    told_soft_ = now_soft;
    out_.soft_changes.push_back(now_soft);
  }
}

void core::on(const tick&) {
  if (is_asleep_)
    return;
  ++ticks_;
  apply_.set_read_failed(false);
  tick_reads();
  tick_handover();
  tick_storage();
  if (role() == role::leader)
    tick_leader();
  else
    tick_election();
}

void core::on(received& x) {
  if (x.from == options_.self || x.from == node_id{} || !is_plausible(x.body)) {
    ++noise_.invalid;
    return;
  }
  std::visit([&](auto& body) { on(x.from, body); }, x.body);
}

void core::on(const persisted& x) {
  CAUCUS_ASSERT(x.upto < next_seq_); // Else the disk vouches for what it was never given.
  if (x.upto <= durable_)
    return;
  durable_ = x.upto;
  stalled_ticks_ = 0;
  log_.mark_durable(durable_);
  held_.release(durable_, out_.messages);
  if (role() == role::candidate)
    ask_once_durable();
  else if (role() == role::leader)
    advance_commit();
}

void core::on(const applied& x) { apply_.acknowledge(x.upto); }

void core::on(const peer_unreachable& x) {
  if (auto* leading = as<leader_role>()) {
    // What was sent may be lost. Silence until a heartbeat returns: probing a dead link on every
    // report of its death would never end.
    if (auto* peer = leading->peers.find(x.peer)) {
      if (peer->state == progress_state::replicate)
        peer->become_probe(peer->match + 1);
      peer->is_paused = true;
      peer->is_unreachable = true;
    }
  } else if (x.peer == leader_) {
    refuse_forwarded();
    if (auto* following = as<follower_role>())
      following->is_leader_unreachable = true;
    stay_awake();
  }
}

void core::enter_term(term_t term) {
  CAUCUS_ASSERT(term > term_);
  term_ = term;
  voted_for_ = {};
  leader_of_term_ = {};
  held_.clear();
}

void core::set_leader(node_id leader) {
  if (leader == leader_)
    return;
  refuse_forwarded();
  refuse_reads();
  leader_ = leader;
  if (leader != node_id{}) {
    // Election safety (thesis §3.6.1); two leaders must stop the group, not be tolerated (P-13).
    CAUCUS_ASSERT(leader_of_term_ == node_id{} || leader_of_term_ == leader);
    leader_of_term_ = leader;
    settle_handover(leader);
  }
}

void core::become_follower(term_t term, node_id leader) {
  if (term > term_) {
    set_leader({});
    enter_term(term);
  }
  set_leader(leader);
  if (role() != role::follower) {
    role_ = follower_role{};
    restart_election_timer();
  }
}

void core::restart_election_timer() {
  elapsed_ = 0;
  const auto drawn = static_cast<uint32_t>(rng_.below(options_.election_ticks));
  const auto delay = options_.election_ticks * (priority_max - options_.priority) / priority_max;
  timeout_ = options_.election_ticks + drawn + delay;
}

bool core::is_current_reply(node_id from, term_t term) {
  if (!members().is_member(from) && !is_leaving_peer(from, term)) {
    ++noise_.not_member; // Not even its term counts (RELIABILITY S-04, S-72).
    return false;
  }
  if (term < term_) {
    ++noise_.stale_term;
    return false;
  }
  if (term > term_) {
    become_follower(term, {});
    return false;
  }
  return true;
}

void core::set_commit(index_t commit) {
  if (commit <= commit_) // Late news: never backwards (RELIABILITY S-23).
    return;
  CAUCUS_ASSERT(commit <= log_.last());
  const auto id = latest_id();
  const bool is_change_committed = commit_ < id && id <= commit;
  commit_ = commit;
  if (is_change_committed)
    announce_configuration();
  if (auto* leading = as<leader_role>())
    leading->proposed.commit(commit);
}

persist_seq core::promise_after() const noexcept {
  if (term_ != handed_hard_.term || voted_for_ != handed_hard_.voted_for)
    return next_seq_;
  return promise_seq_ > durable_ ? promise_seq_ : persist_seq{};
}

void core::reply_when_durable(node_id to, message reply, index_t match) {
  auto after = std::max(promise_after(), log_.durable_after(match, next_seq_));
  if (after == persist_seq{})
    out_.messages.push_back({to, std::move(reply)});
  else
    held_.hold(after, {to, std::move(reply)});
}

} // namespace caucus::raft
