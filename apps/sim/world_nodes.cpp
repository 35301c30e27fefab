#include "apps/sim/world.hpp"

#include <algorithm>

namespace caucus::sim {

namespace {

/// What production code makes of a log, of the model's.
raft::recovered_state core_state_of(const sim_disk::contents& found, int64_t recovered_bytes) {
  raft::recovered_state state{.hard = found.hard};
  const auto first_members = found.log.numbered_members_at(found.log.before());
  state.members = *first_members.members;
  state.members_id = first_members.id;
  state.compacted = found.log.before_id();
  state.last = found.log.last();
  for (auto i = found.log.before() + 1; i <= state.last; ++i) {
    const auto& e = *found.log.at(i);
    if (state.runs.empty() || state.runs.back().term != e.id.term)
      state.runs.push_back({i, e.id.term});
  }
  state.configurations = found.log.later_members();
  int64_t bytes = 0;
  for (auto i = state.last; i > found.log.before(); i = i - 1) {
    bytes += static_cast<int64_t>(found.log.at(i)->cost());
    if (!state.tail.empty() && bytes > recovered_bytes)
      break;
    state.tail.push_back(found.log.at(i));
  }
  std::reverse(state.tail.begin(), state.tail.end());
  return state;
}

} // namespace

void world::start(sim_node& n) {
  if (!open_storage(n))
    return;
  auto found = n.disk.recover();
  if (n.disk.production() != nullptr && !accept_recovery(n))
    return;
  auto state = n.disk.production() != nullptr ? n.disk.take_core_state()
                                              : core_state_of(found, options_.recovered_bytes);
  // It loaded a snapshot before its log had come so far, and that was lost: it begins anew.
  const bool is_ahead = n.machine && n.machine->applied() > found.log.last();
  if (!n.machine || (n.disk.production() != nullptr && is_ahead))
    n.machine = std::make_unique<machine>();
  if (const auto& file = n.disk.snapshot(); file && n.machine->applied() < file->index()) {
    *n.machine = machine::load(*file->bytes);
    if (is_checked_)
      executed_.on_restore(n.id(), n.machine->applied(), n.machine->hash());
  }
  state.applied = n.machine->applied();

  n.has_started = true;
  n.log = std::move(found.log);
  n.hard = found.hard;
  n.role = raft::role::follower;
  n.leader = {};
  n.knew_room = true;
  n.core.emplace(core_options_of(options_, n.id(), n.life), std::move(state));
  trace_.note(event_kind::restart, now_us_, n.number, n.log.last().value());
  say(n, "starts with log ", n.log.last(), " term ", n.hard.term, " commit ", n.hard.commit, ", ",
      trace_.is_read() ? to_string(*n.log.members()) : "");
  plan(event_kind::tick, now_us_ + 1 + timing_.below(options_.tick_us), n);
}

void world::crash(sim_node& n, bool comes_back) {
  ++counts_.crashes;
  n.waiting.clear([&](caller who) { clients_.answer(who, {errc::node_stopped}, now_us_); });
  const auto lost = n.disk.crash(disks_, options_.torn != 0);
  counts_.unsynced_lost += lost.batches > 0 ? 1 : 0;
  counts_.torn_writes += lost.torn;
  trace_.note(now_us_, n.number, lost.batches, lost.torn);
  say(n, "crashes; batches at risk ", lost.batches, " torn ", lost.torn);
  n.core.reset();
  if (options_.durable_machine == 0)
    n.machine.reset();
  n.to_apply.clear();
  n.to_restore.clear();
  n.writing.reset();
  n.incoming.clear();
  n.sending = 0;
  n.reads.clear();
  n.is_flush_planned = n.is_start_planned = n.is_apply_planned = n.fails_next_sync = false;
  n.paused_until_us = 0;
  n.ended_us.resize(n.life + 1, now_us_);
  ++n.life;
  if (comes_back)
    plan(event_kind::restart, now_us_ + 1 + timing_.around(options_.down_us), n);
}

void world::tick(sim_node& n) {
  plan(event_kind::tick, now_us_ + options_.tick_us * 1000 / n.rate_permille, n);
  tell_sleeper(n);
  if (const bool there_is = has_room(n); n.knew_room != there_is && n.is_up()) {
    n.knew_room = there_is;
    step(n, raft::storage{there_is});
  }
  if (n.is_up())
    step(n, raft::tick{});
}

/// A shell knows which nodes are alive, and tells who sleeps for as long as one isn't.
void world::tell_sleeper(sim_node& n) {
  for (uint8_t other = 1; other < nodes_.size() && n.is_up() && n.core->is_asleep(); ++other) {
    const auto& peer = nodes_[other];
    const bool is_silent = !peer.is_up() || peer.is_paused(now_us_)
                           || network_.is_cut(other, n.number, now_us_)
                           || network_.is_cut(n.number, other, now_us_);
    if (other != n.number && is_silent)
      step(n, raft::peer_unreachable{peer.id()});
  }
}

void world::deliver(const event& x) {
  const auto& waiting = network_.at(x.arg);
  auto& n = nodes_[waiting.to];
  const auto& from = nodes_[waiting.from];
  // Once healed, nothing of the dead is under way: it might bring a configuration that needs them.
  const bool was_sent = from.life == waiting.from_life
                        || (!is_healed_ && from.ended_us[waiting.from_life] >= waiting.sent_us);
  if (was_sent && n.is_up() && n.is_paused(now_us_)) {
    queue_.push({.at_us = n.paused_until_us, .arg = x.arg, .kind = event_kind::deliver});
    return;
  }
  auto arrived = network_.take(x.arg);
  const auto* asked = std::get_if<raft::forward_proposal>(&arrived.body);
  const bool is_too_late =
    is_healed_ && asked != nullptr && asked->body.kind == raft::entry_kind::configuration;
  if (!was_sent || is_too_late || !n.is_up()
      || network_.is_cut(arrived.from, arrived.to, now_us_)) {
    ++counts_.messages_dropped;
    return;
  }
  ++counts_.events;
  ++counts_.deliveries;
  reached_.message(arrived.body.index());
  trace_.note(event_kind::deliver, now_us_, arrived.from, arrived.to);
  trace_.note(arrived.body);
  if (trace_.is_read())
    say(n, "<- ", arrived.from, " ", to_string(arrived.body));
  const bool is_progress = std::holds_alternative<raft::append_reply>(arrived.body);
  step(n, raft::received{node_id{arrived.from}, std::move(arrived.body)});
  if (is_checked_ && is_progress && n.role == raft::role::leader)
    matches_.on_progress(n.core->describe());
}

void world::plan_disk(sim_node& n) {
  if (n.disk.is_busy() || n.is_start_planned || !n.disk.has_queued())
    return;
  n.is_start_planned = true;
  plan(event_kind::disk_start, std::max(now_us_, n.disk.oldest_queued_us()), n);
}

void world::start_disk(sim_node& n) {
  if (now_us_ < n.disk_stuck_until_us) {
    plan(event_kind::disk_start, n.disk_stuck_until_us, n);
    return;
  }
  n.is_start_planned = false;
  const auto bytes = n.disk.start(now_us_, options_.batches_max);
  trace_.note(event_kind::disk_start, now_us_, n.number, bytes);
  if (!n.disk.is_busy()) {
    after_failed_write(n);
    return;
  }
  auto latency_us = options_.sync_min_us + disks_.around(options_.sync_mean_us);
  if (now_us_ < n.disk_slow_until_us)
    latency_us = latency_us * 10 + options_.tick_us;
  n.disk_done_at_us = now_us_ + latency_us;
  plan(event_kind::disk_done, n.disk_done_at_us, n);
}

void world::finish_disk(sim_node& n) {
  ++counts_.events;
  ++counts_.disk_completions;
  if (n.fails_next_sync
      && n.disk.production()
           == nullptr) { // Never retried: what the cache holds now is anybody's guess (E-01).
    say(n, "a sync fails");
    crash(n, true);
    return;
  }
  if (n.fails_next_sync)
    n.disk.production()->fail_next_sync();
  const auto upto = n.disk.finish();
  if (!finish_storage(n))
    return;
  trace_.note(event_kind::disk_done, now_us_, n.number, upto.value());
  say(n, "durable: batch ", upto, ", log ", n.disk.durable().last());
  plan_disk(n);
  if (upto == persist_seq{}) // Only a snapshot was to be written.
    return;
  if (options_.notice_us > 0 || n.is_paused(now_us_))
    plan(event_kind::notice, soon(options_.notice_us), n, static_cast<uint32_t>(upto.value()));
  else
    step(n, raft::persisted{upto});
}

void world::apply(sim_node& n) {
  n.is_apply_planned = false;
  for (auto left = options_.apply_max; left > 0 && !n.to_apply.empty(); --left) {
    const auto next = n.to_apply.pop_front();
    if (next == nullptr) {
      restore(n, n.to_restore.pop_front());
      if (!n.is_up())
        return;
      continue;
    }
    const auto what = n.machine->apply(*next);
    if (is_checked_)
      executed_.on_apply(n.id(), next->id.index, what, n.machine->hash());
    answer(what, *next, n);
  }
  const auto upto = n.machine->applied();
  trace_.note(event_kind::apply, now_us_, n.number, upto.value(), n.machine->hash());
  say(n, "has applied ", upto);
  answer_reads(n);
  if (!n.to_apply.empty()) {
    n.is_apply_planned = true;
    plan(event_kind::apply, soon(options_.apply_us), n);
  }
  step(n, raft::applied{upto});
  begin_snapshot(n);
}

void world::answer(const machine::outcome& what, const raft::entry& applied, sim_node& n) {
  n.waiting.settle(applied.id, [&](caller who, bool is_its_own) {
    using kind = enum raft::session_verdict::kind;
    attempt_result told;
    if (!is_its_own)
      told.reason = errc::overwritten;
    else if (what.verdict.kind == kind::refuse)
      told.reason = what.verdict.reason;
    told.answer = what.answer;
    told.session = what.verdict.session;
    clients_.answer(who, told, now_us_);
  });
}

void world::finish_read(sim_node& n) {
  const auto asked = n.reads.pop_front();
  raft::log_read_done done{asked.to, asked.first, {}};
  const auto& log = n.disk.durable();
  uint64_t bytes = 0;
  const bool fails = disks_.permille(options_.failed_read_permille);
  if (n.disk.production() != nullptr)
    done.entries = read_storage(n, asked, fails);
  if (!n.is_up())
    return;
  for (auto i = asked.first; n.disk.production() == nullptr && !fails && i > log.before()
                             && i <= std::min(asked.last, log.last());
       ++i) {
    bytes += log.at(i)->cost();
    if (!done.entries.empty() && bytes > asked.bytes_max)
      break;
    done.entries.push_back(log.at(i));
  }
  trace_.note(event_kind::read_done, now_us_, n.number, asked.first.value(), done.entries.size());
  step(n, std::move(done));
}

bool world::propose(uint8_t node, caller who, const raft::command& body) {
  auto& n = nodes_[node];
  ++counts_.events;
  trace_.note(event_kind::client, now_us_, node, who.client, who.operation, who.attempt);
  trace_.note(hasher{}.bytes(body.payload.span()).value());
  say(n, "client ", who.client, " operation ", who.operation, " attempt ", who.attempt,
      n.is_up() ? "" : ": nobody there");
  if (!n.is_up() || n.is_paused(now_us_))
    return false;
  const request_id request{next_request_++};
  n.waiting.add(request, who);
  step(n, raft::propose{request, body});
  return true;
}

bool world::read(uint8_t node, caller who, uint32_t object, raft::consistency how) {
  auto& n = nodes_[node];
  ++counts_.events;
  trace_.note(event_kind::client, now_us_, node, who.client, who.operation, who.attempt, how);
  say(n, "client ", who.client, " operation ", who.operation, " attempt ", who.attempt,
      how == raft::consistency::lease   ? " reads by lease"
      : how == raft::consistency::stale ? " reads what there is"
                                        : " reads",
      n.is_up() ? "" : ": nobody there");
  if (!n.is_up() || n.is_paused(now_us_))
    return false;
  const request_id request{next_request_++};
  n.waiting.add_read(request, who, object);
  step(n, raft::read{request, how});
  return true;
}

void world::answer_reads(sim_node& n) {
  n.waiting.settle_reads(n.machine->applied(), [&](caller who, uint32_t object) {
    clients_.answer(who, {.answer = n.machine->look(object)}, now_us_);
  });
}

uint8_t world::some_node(dice& draw) const {
  if (last_leader_ != 0 && draw.permille(600) && (!is_healed_ || is_healed(last_leader_)))
    return last_leader_;
  if (is_healed_)
    return healed_[static_cast<size_t>(draw.below(static_cast<int64_t>(healed_.size())))];
  return static_cast<uint8_t>(draw.between(1, nodes_total()));
}

} // namespace caucus::sim
