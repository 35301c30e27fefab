#include "tests/support/golden/scripted_replica.hpp"

#include "base/assert.hpp"
#include "membership/configuration_codec.hpp"

#include <algorithm>

namespace caucus::golden {

using namespace raft;

void scripted_replica::stored::write(const persist_batch& x) {
  if (x.truncate_from)
    log.resize(std::min<size_t>(log.size(), *x.truncate_from - compacted.index - 1));
  for (const auto& e : x.entries) {
    CAUCUS_ASSERT(e->id.index == last() + 1);
    log.push_back(e);
  }
  if (x.hard)
    hard = *x.hard;
}

entry_id scripted_replica::stored::at(index_t index) const {
  return index == compacted.index ? compacted : log.at(index - compacted.index - 1)->id;
}

void scripted_replica::stored::begin_after(const snapshot_boundary& x) {
  log.clear();
  compacted = x.last;
  members = x.members;
}

void scripted_replica::stored::drop_up_to(const snapshot_boundary& x) {
  log.erase(log.begin(), log.begin() + static_cast<std::ptrdiff_t>(x.last.index - compacted.index));
  compacted = x.last;
  members = x.members;
}

scripted_replica::scripted_replica(setup x) : options_{x.options} {
  const auto members = std::make_shared<const membership::configuration>(std::move(x.members));
  disk_ = {x.hard, x.compacted, {{}, members}, std::move(x.log)};
  keep({{x.compacted, disk_.members}, {}});
  load(files_.begin()->second);
  start();
}

void scripted_replica::start() {
  recovered_state found{.hard = disk_.hard};
  found.members = *disk_.members.members;
  found.members_id = disk_.members.id;
  found.compacted = disk_.compacted;
  for (const auto& e : disk_.log)
    if (found.runs.empty() || found.runs.back().term != e->id.term)
      found.runs.push_back({e->id.index, e->id.term});
  for (const auto& e : disk_.log)
    if (e->body.kind == entry_kind::configuration) {
      auto members = membership::decode_payload(e->body.payload.span());
      CAUCUS_ASSERT(members.has_value());
      found.configurations.push_back(
        {e->id.index, std::make_shared<const membership::configuration>(*std::move(members))});
    }
  found.last = disk_.last();
  found.tail = disk_.log;
  found.applied = machine_.upto;
  ++options_.boot;
  shadow_ = disk_;
  core_.emplace(options_, std::move(found));
  invariants::check(*core_);
}

void scripted_replica::step(input in, instant now) {
  const auto before = core_->describe();
  core_->step(std::move(in), now);
  invariants::check(*core_);
  invariants::check_step(before, core_->describe());
}

ready scripted_replica::take(instant now) {
  auto out = core_->take_ready(now);
  CAUCUS_ASSERT(!core_->has_ready()); // Nothing is left behind.
  invariants::check(*core_);
  if (out.persist) {
    write(shadow_, *out.persist);
    unsynced.push_back(*out.persist);
  }
  for (const auto& x : out.heartbeats)
    out.messages.push_back({x.to, heartbeat{x.term, x.commit, x.context}});
  for (const auto& x : out.heartbeat_replies)
    out.messages.push_back({x.to, heartbeat_reply{x.term, x.context, x.promise_ns}});
  for (const auto& x : out.messages) {
    check_promise(x);
    outbox.push_back(x);
  }
  if (out.restore)
    to_apply.push_back({nullptr, *out.restore});
  for (const auto& x : out.committed) {
    CAUCUS_ASSERT(disk_.at(x->id.index) == x->id);
    to_apply.push_back({x, {}});
  }
  snapshots.insert(snapshots.end(), out.snapshots_wanted.begin(), out.snapshots_wanted.end());
  reads.insert(reads.end(), out.reads.begin(), out.reads.end());
  return out;
}

// Nothing leaves before what it says is durable (RELIABILITY section 0, rule 2).
void scripted_replica::check_promise(const envelope& x) const {
  if (const auto* m = std::get_if<append_reply>(&x.body)) {
    CAUCUS_ASSERT(m->term <= disk_.hard.term);
    if (m->accepted && m->match > shadow_.compacted.index)
      CAUCUS_ASSERT(m->match <= disk_.last() && disk_.at(m->match) == shadow_.at(m->match));
  } else if (const auto* v = std::get_if<vote_reply>(&x.body); v && !v->is_pre_vote) {
    CAUCUS_ASSERT(v->term <= disk_.hard.term);
    CAUCUS_ASSERT(!v->granted || disk_.hard.term != v->term || disk_.hard.voted_for == x.to);
  } else if (const auto* q = std::get_if<request_vote>(&x.body); q && !q->is_pre_vote) {
    CAUCUS_ASSERT(q->term == disk_.hard.term && disk_.hard.voted_for == options_.self);
    CAUCUS_ASSERT(disk_.last() >= q->last.index);
  }
}

persist_seq scripted_replica::write_next() {
  const auto seq = unsynced.front().seq;
  write(disk_, unsynced.front());
  unsynced.pop_front();
  return seq;
}

index_t scripted_replica::apply_next() {
  const auto next = std::move(to_apply.front());
  to_apply.pop_front();
  if (next.entry == nullptr) {
    CAUCUS_ASSERT(next.restore.index > machine_.upto);
    load(files_.at(next.restore));
  } else {
    CAUCUS_ASSERT(next.entry->id.index == machine_.upto + 1);
    machine_.executed.push_back(next.entry);
    ++machine_.upto;
  }
  return machine_.upto;
}

void scripted_replica::write(stored& where, const persist_batch& x) const {
  if (x.snapshot)
    where.begin_after(files_.at(*x.snapshot).at);
  where.write(x);
}

snapshot_file scripted_replica::make_snapshot() const {
  return {core_->boundary_at(machine_.upto), machine_.executed};
}

void scripted_replica::keep(snapshot_file x) {
  const auto last = x.at.last;
  files_.insert_or_assign(last, std::move(x));
}

void scripted_replica::compact(index_t upto, instant now) {
  CAUCUS_ASSERT(upto <= machine_.upto);
  snapshot_file file{core_->boundary_at(upto), machine_.executed};
  std::erase_if(file.executed, [=](const auto& e) { return e->id.index > upto; });
  const auto at = file.at;
  keep(std::move(file));
  step(raft::compact{upto}, now);
  if (core_->describe().first != upto + 1)
    return;
  disk_.drop_up_to(at);
  shadow_.drop_up_to(at);
}

log_read_done scripted_replica::read_next() {
  const auto asked = reads.front();
  reads.pop_front();
  log_read_done done{asked.to, asked.first, {}};
  uint64_t bytes = 0;
  for (auto i = asked.first; i <= asked.last && i <= disk_.last(); ++i) {
    const auto& e = disk_.log.at(i - disk_.compacted.index - 1);
    bytes += e->cost();
    if (!done.entries.empty() && bytes > asked.bytes_max)
      break;
    done.entries.push_back(e);
  }
  return done;
}

void scripted_replica::crash() {
  core_.reset();
  outbox.clear();
  unsynced.clear();
  to_apply.clear();
  reads.clear();
  snapshots.clear();
}

void scripted_replica::restart(bool machine_keeps_state) {
  recover_from_newest();
  if (!machine_keeps_state || machine_.upto < disk_.compacted.index)
    load(files_.rbegin()->second);
  start();
}

void scripted_replica::recover_from_newest() {
  const auto& at = files_.rbegin()->second.at;
  const bool is_in_log = at.last.index >= disk_.compacted.index && at.last.index <= disk_.last()
                         && disk_.at(at.last.index) == at.last;
  if (is_in_log || at.last.index < disk_.compacted.index)
    return;
  disk_.begin_after(at);
  if (disk_.hard.term < at.last.term)
    disk_.hard = {.term = at.last.term, .voted_for = {}, .commit = {}};
}

} // namespace caucus::golden
