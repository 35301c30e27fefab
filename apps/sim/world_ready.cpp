#include "apps/sim/oracles/monotony.hpp"
#include "apps/sim/oracles/promises.hpp"
#include "apps/sim/world.hpp"
#include "raft/invariants.hpp"

#include <algorithm>

namespace caucus::sim {

void world::step(sim_node& n, raft::input&& in) {
  reached_.input(in.index());
  n.core->step(std::move(in), n.clock(now_us_));
  if (options_.flush_us == 0) {
    take(n);
  } else if (!n.is_flush_planned && n.core->has_ready()) {
    n.is_flush_planned = true;
    plan(event_kind::flush, soon(options_.flush_us), n);
  }
}

void world::take(sim_node& n) {
  n.is_flush_planned = false;
  if (!n.core->has_ready())
    return;
  auto out = n.core->take_ready(n.clock(now_us_));
  const bool was_leader = n.role == raft::role::leader && out.soft_changes.empty();
  // An answer to an older term's leader is about the log as it was; others about the log as it is.
  const auto term = out.persist && out.persist->hard ? out.persist->hard->term : n.hard.term;
  if (is_checked_)
    for (const auto& x : out.messages)
      if (const auto* reply = std::get_if<raft::append_reply>(&x.body);
          reply != nullptr && reply->term < term)
        promises::on_message(n.id(), x, n.log, n.disk);
  if (out.persist)
    hand_over(n, std::move(*out.persist), was_leader);
  if (!out.soft_changes.empty())
    note_roles(n, out.soft_changes);
  for (auto& x : out.messages) {
    if (const auto* reply = std::get_if<raft::append_reply>(&x.body);
        is_checked_ && (reply == nullptr || reply->term == term))
      promises::on_message(n.id(), x, n.log, n.disk);
    send(n, x.to, std::move(x.body));
  }
  for (const auto& x : out.heartbeats)
    send(n, x.to, raft::heartbeat{x.term, x.commit, x.context});
  for (const auto& x : out.heartbeat_replies) {
    if (is_checked_)
      promises::on_heartbeat_reply(n.id(), x, n.disk);
    send(n, x.to, raft::heartbeat_reply{x.term, x.context, x.promise_ns});
  }
  if (out.restore) {
    n.to_apply.push_back(nullptr);
    n.to_restore.push_back(*out.restore);
  }
  for (auto& x : out.committed)
    n.to_apply.push_back(std::move(x));
  if (!n.is_apply_planned && !n.to_apply.empty()) {
    n.is_apply_planned = true;
    const bool is_slow = now_us_ < n.machine_slow_until_us;
    plan(event_kind::apply, soon(is_slow ? 10 * options_.tick_us : options_.apply_us), n);
  }
  for (const auto& x : out.snapshots_wanted)
    send_snapshot(n, x);
  for (const auto& x : out.reads) {
    n.reads.push_back(x);
    plan(event_kind::read_done, soon(options_.sync_mean_us), n);
  }
  if (out.configuration && trace_.is_read())
    say(n, out.configuration->is_committed ? "has committed " : "goes by ", out.configuration->id,
        ": ", to_string(*out.configuration->members));
  tell_callers(n, out);
}

void world::hand_over(sim_node& n, raft::persist_batch batch, bool was_leader) {
  if (is_checked_ && was_leader)
    monotony::on_leader_batch(n.id(), batch);
  const auto members_before = n.log.members();
  note_configurations(n, batch);
  if (batch.snapshot) {
    const auto& file = n.disk.file_of(*batch.snapshot);
    n.log.restore(*batch.snapshot, file.log_hash, file.at.members);
  }
  if (batch.truncate_from)
    n.log.truncate_from(*batch.truncate_from);
  for (const auto& e : batch.entries)
    n.log.append(e);
  if (is_checked_ && !batch.entries.empty())
    logs_.on_append(n.id(), n.log, batch.entries.front()->id.index);
  if (batch.hard)
    note_hard_state(n, *batch.hard, members_before);
  n.handed_us = std::max(n.handed_us, soon(options_.hand_us));
  n.disk.hand_over(std::move(batch), n.handed_us);
  plan_disk(n);
}

/// What the leader's entries change, and what a log loses again.
void world::note_configurations(const sim_node& n, const raft::persist_batch& x) {
  if (x.snapshot)
    reached_.step(change_step::restored);
  if (x.truncate_from && n.log.has(*x.truncate_from)
      && n.log.numbered_members_at(n.log.last()).id >= *x.truncate_from)
    reached_.step(change_step::rolled_back);
  auto before = n.log.members();
  for (const auto& e : x.entries)
    if (e->body.kind == raft::entry_kind::configuration && e->id.term == n.hard.term
        && n.role == raft::role::leader) {
      auto after = members_of(*e);
      reached_.steps_between(*before, *after);
      before = std::move(after);
    }
}

/// `before`: the configuration that was in force when the ready began. A ready of several steps may
/// first commit by that one and then append the next.
void world::note_hard_state(sim_node& n, const raft::hard_state& now,
                            const membership::configuration_ptr& before) {
  const bool is_leader_news = now.commit > commit_;
  if (is_checked_) {
    monotony::on_hard_state(n.id(), n.hard, now);
    if (now.commit > n.hard.commit)
      committed_.on_commit(n.id(), now.term, n.log, now.commit);
    if (is_leader_news) {
      const std::array judges{before, n.log.members()};
      judges_ = committed_.check_quorum(now.commit, judges, durable_anywhere());
    }
  }
  // The first who knows of a commit is a leader.
  for (auto i = commit_ + 1; i <= now.commit; ++i)
    if (i > n.log.before() && n.log.at(i)->body.kind == raft::entry_kind::configuration) {
      ++counts_.conf_changes;
      members_ = n.log.members_at(i);
    }
  commit_ = std::max(commit_, now.commit);
  n.hard = now;
}

committed_log::is_durable world::durable_anywhere() const {
  return [this](node_id id, index_t index, uint64_t hash) {
    const auto& log = nodes_[id.value()].disk.durable();
    return index < log.before() || (log.has(index) && log.hash_at(index) == hash);
  };
}

void world::note_roles(sim_node& n, const std::vector<raft::soft_state>& changes) {
  for (const auto& x : changes) {
    n.leader = x.leader;
    if (x.role == n.role && x.role != raft::role::leader)
      continue;
    reached_.role(n.role, x.role);
    n.role = x.role;
    trace_.note(now_us_, n.number, x.role, x.term.value());
    say(n, "is ", to_string(x.role), " in term ", x.term);
    if (x.role != raft::role::leader)
      continue;
    if (x.term > newest_led_) {
      newest_led_ = x.term;
      last_leader_ = n.number;
      if (!is_healed_ && luck_.permille(options_.eager_change_permille))
        plan(event_kind::eager_change, now_us_, n);
    }
    if (is_checked_) {
      counts_.leader_changes += leaders_.on_leader(n.id(), x.term) ? 1 : 0;
      committed_.on_leader(n.id(), x.term, n.log);
    }
  }
  if (is_checked_)
    raft::invariants::check(*n.core);
}

void world::send(const sim_node& n, node_id to, raft::message body) {
  if (to == n.id() || to.value() >= nodes_.size())
    return;
  packet x{.from = n.number,
           .to = static_cast<uint8_t>(to.value()),
           .from_life = n.life,
           .sent_us = soon(options_.send_us),
           .body = std::move(body)};
  // A proposal changes something each time it arrives; links are streams that bring it once.
  const bool may_double = !std::holds_alternative<raft::forward_proposal>(x.body);
  if (may_double && network_.duplicates()) {
    ++network_.duplicated;
    if (const auto at = network_.arrival(x.from, x.to, x.sent_us))
      queue_.push({.at_us = *at,
                   .arg = static_cast<uint32_t>(network_.put(packet{x})),
                   .kind = event_kind::deliver});
  }
  if (const auto at = network_.arrival(x.from, x.to, x.sent_us))
    queue_.push({.at_us = *at,
                 .arg = static_cast<uint32_t>(network_.put(std::move(x))),
                 .kind = event_kind::deliver});
}

void world::tell_callers(sim_node& n, const raft::ready& out) {
  for (const auto& x : out.accepted) {
    const bool is_passed = x.place.index <= n.machine->applied();
    const auto who = n.waiting.place(x.request, x.place, is_passed);
    if (who.client != 0 && is_passed)
      clients_.answer(who, {errc::leadership_lost}, now_us_);
  }
  for (const auto& x : out.reads_ready) {
    if (is_checked_ && x.index > committed_.last())
      throw violation{"reads are committed", text("node ", n.id(), " lets a read see entry ",
                                                  x.index, ", committed is ", committed_.last())};
    n.waiting.confirm_read(x.request, x.index);
  }
  if (!out.reads_ready.empty())
    answer_reads(n);
  for (const auto& x : out.transferred)
    counts_.transfers += x.leader == node_id{} ? 0 : 1;
  for (const auto& x : out.refused)
    if (const auto who = n.waiting.forget(x.request); who.client != 0)
      clients_.answer(who, {x.reason}, now_us_);
}

} // namespace caucus::sim
