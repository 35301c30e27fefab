#include "tests/support/core_cluster.hpp"

#include "base/assert.hpp"
#include "membership/configuration_codec.hpp"
#include "membership/quorum.hpp"

#include <algorithm>

namespace caucus::test {

using namespace raft;

void core_cluster::stored::write(const persist_batch& x, const std::vector<entry_ptr>& committed) {
  if (x.snapshot)
    begin_after(*x.snapshot, committed);
  if (x.truncate_from)
    log.resize(std::min<size_t>(log.size(), x.truncate_from->value() - 1));
  for (const auto& e : x.entries) {
    CAUCUS_ASSERT(e->id.index.value() == log.size() + 1);
    log.push_back(e);
  }
  if (x.hard)
    hard = *x.hard;
}

core_cluster::core_cluster(options x) : options_{std::move(x)}, rng_{options_.seed} {
  ids_ = options_.voters;
  ids_.insert(ids_.end(), options_.learners.begin(), options_.learners.end());
  ids_.insert(ids_.end(), options_.spares.begin(), options_.spares.end());
  for (auto id : ids_)
    replicas_[id];
  for (auto id : ids_)
    start(id, {});
}

void core_cluster::start(uint64_t id, index_t applied) {
  auto& r = at(id);
  recover_from_file(r);
  recovered_state found{.hard = r.disk.hard, .compacted = r.disk.compacted};
  if (std::find(options_.spares.begin(), options_.spares.end(), id) == options_.spares.end()) {
    for (auto v : options_.voters)
      found.members.voters.insert(node_id{v});
    for (auto l : options_.learners)
      found.members.learners.insert(node_id{l});
  }
  for (const auto& e : r.disk.log) {
    const bool is_kept = e->id.index > found.compacted.index;
    if (is_kept && (found.runs.empty() || found.runs.back().term != e->id.term))
      found.runs.push_back({e->id.index, e->id.term});
    if (e->body.kind != entry_kind::configuration)
      continue;
    auto members = membership::decode_payload(e->body.payload.span()).value();
    if (is_kept) {
      found.configurations.push_back(
        {e->id.index, std::make_shared<const membership::configuration>(std::move(members))});
    } else {
      found.members = std::move(members);
      found.members_id = e->id.index;
    }
  }
  found.last = index_t{r.disk.log.size()};
  const auto kept = r.disk.log.size() - found.compacted.index.value();
  const auto tail = static_cast<std::ptrdiff_t>(tail_of(kept));
  found.tail.assign(r.disk.log.end() - tail, r.disk.log.end());
  // A machine whose state is gone has loaded the newest snapshot.
  found.applied = std::max(applied, r.file.index);
  r.shadow = r.disk;
  const auto state = static_cast<std::ptrdiff_t>(found.applied.value());
  r.applied.assign(committed_.begin(), committed_.begin() + state);
  auto settings = options_.core;
  settings.self = node_id{id};
  settings.seed = options_.seed;
  settings.boot = ++r.boot;
  if (const auto wish = options_.priorities.find(id); wish != options_.priorities.end())
    settings.priority = wish->second;
  if (options_.adjust)
    options_.adjust(id, settings);
  r.core.emplace(settings, std::move(found));
  invariants::check(*r.core);
}

void core_cluster::step(uint64_t id, input in) {
  auto& r = at(id);
  if (!r.core)
    return;
  now_ns_ += 1000;
  const auto before = r.core->describe();
  r.core->step(std::move(in), {now_ns_, now_ns_});
  invariants::check(*r.core);
  invariants::check_step(before, r.core->describe());
  sleeps += !before.is_asleep && r.core->is_asleep() ? 1 : 0;
  take(id);
}

void core_cluster::take(uint64_t id) {
  auto& r = at(id);
  if (!r.core->has_ready())
    return;
  auto out = r.core->take_ready({now_ns_, now_ns_});
  CAUCUS_ASSERT(!r.core->has_ready());
  invariants::check(*r.core);
  if (out.persist) {
    r.shadow.write(*out.persist, committed_);
    check_batch(id, *out.persist);
    r.unsynced.push_back(std::move(*out.persist));
  }
  check_status(id);
  if (out.restore)
    r.restore = out.restore;
  for (const auto& x : out.snapshots_wanted)
    snapshots_wanted.push_back({id, x.to.value(), x.at_least});
  for (auto& x : out.messages) {
    check_message(id, x);
    put_on_wire({id, x.to.value(), std::move(x.body)});
  }
  for (const auto& x : out.heartbeats)
    put_on_wire({id, x.to.value(), heartbeat{x.term, x.commit, x.context}});
  for (const auto& x : out.heartbeat_replies) {
    CAUCUS_ASSERT(x.term <= r.disk.hard.term);
    put_on_wire({id, x.to.value(), heartbeat_reply{x.term, x.context, x.promise_ns}});
  }
  for (auto& x : out.committed) {
    CAUCUS_ASSERT(x->id.index.value() <= r.disk.log.size());
    CAUCUS_ASSERT(r.disk.log[x->id.index.value() - 1]->id == x->id);
    r.to_apply.push_back(std::move(x));
  }
  for (const auto& x : out.reads)
    r.reads.push_back(x);
  for (const auto& x : out.accepted)
    CAUCUS_ASSERT(answers_.emplace(x.request.value(), answer{errc::none, x.place, {}}).second);
  for (const auto& x : out.reads_ready)
    check_read(id, x);
  for (const auto& x : out.transferred)
    CAUCUS_ASSERT(transferred_.emplace(x.request.value(), x.leader).second);
  for (const auto& x : out.refused)
    CAUCUS_ASSERT(answers_.emplace(x.request.value(), answer{x.reason, {}, x.detail}).second);
}

void core_cluster::put_on_wire(packet x) {
  if (hold && hold(x))
    held.push_back(std::move(x));
  else
    wire.push_back(std::move(x));
}

void core_cluster::release() {
  hold = nullptr;
  for (auto& x : held)
    wire.push_back(std::move(x));
  held.clear();
}

void core_cluster::tick(uint64_t id, uint32_t count) {
  for (; count > 0; --count) {
    if (options_.core.lease) // Else clocks decide nothing.
      now_ns_ += options_.core.tick_ns / static_cast<int64_t>(ids_.size());
    tell_sleeper(id);
    step(id, raft::tick{});
  }
}

/// As a shell does that knows which nodes live: again and again while one is dead.
void core_cluster::tell_sleeper(uint64_t id) {
  const auto& r = at(id);
  for (auto other : ids_)
    if (other != id && r.core && r.core->is_asleep() && !at(other).core)
      step(id, peer_unreachable{node_id{other}});
}

void core_cluster::tick_all(uint32_t count) {
  for (; count > 0; --count)
    for (auto id : ids_)
      tick(id);
}

uint64_t core_cluster::propose(uint64_t id) {
  const auto request = next_request_++;
  const auto text = "request-" + std::to_string(request);
  step(id, raft::propose{request_id{request}, {.payload = shared_bytes::copy_of(text)}});
  return request;
}

uint64_t core_cluster::change(uint64_t id, membership::change_request x) {
  const auto request = next_request_++;
  changes_.insert(request);
  step(id, raft::propose_change{request_id{request}, std::move(x)});
  return request;
}

void core_cluster::sync(uint64_t id, size_t count) {
  auto& r = at(id);
  if (!r.core || r.is_disk_stuck || r.unsynced.empty())
    return;
  persist_seq upto;
  for (; count > 0 && !r.unsynced.empty(); --count) {
    r.disk.write(r.unsynced.front(), committed_);
    upto = r.unsynced.front().seq;
    r.unsynced.pop_front();
  }
  step(id, persisted{upto});
}

void core_cluster::apply(uint64_t id) {
  auto& r = at(id);
  if (!r.core || (r.to_apply.empty() && !r.restore))
    return;
  if (const auto loaded = std::exchange(r.restore, std::nullopt)) {
    std::erase_if(r.to_apply, [&](const auto& x) { return x->id.index <= loaded->index; });
    const auto state = static_cast<std::ptrdiff_t>(loaded->index.value());
    r.applied.assign(committed_.begin(), committed_.begin() + state);
  }
  for (auto& x : r.to_apply) {
    const auto index = x->id.index.value();
    CAUCUS_ASSERT(index == r.applied.size() + 1);
    CAUCUS_ASSERT(committed_.size() >= index && committed_[index - 1]->id == x->id);
    r.applied.push_back(std::move(x));
  }
  r.to_apply.clear();
  step(id, raft::applied{index_t{r.applied.size()}});
}

void core_cluster::answer_reads(uint64_t id, bool is_failing) {
  auto& r = at(id);
  if (!r.core || r.reads.empty())
    return;
  const auto asked = r.reads.front();
  r.reads.pop_front();
  log_read_done done{asked.to, asked.first, {}};
  uint64_t bytes = 0;
  for (auto i = asked.first.value(); !is_failing && i <= asked.last.value(); ++i) {
    if (i > r.disk.log.size() || i <= r.disk.compacted.index.value())
      break;
    bytes += r.disk.log[i - 1]->cost();
    if (!done.entries.empty() && bytes > asked.bytes_max)
      break;
    done.entries.push_back(r.disk.log[i - 1]);
  }
  step(id, std::move(done));
}

void core_cluster::crash(uint64_t id) {
  auto& r = at(id);
  r.core.reset();
  r.unsynced.clear();
  r.to_apply.clear();
  r.restore.reset();
  r.reads.clear();
}

void core_cluster::restart(uint64_t id, bool machine_keeps_state) {
  auto& r = at(id);
  CAUCUS_ASSERT(!r.core);
  start(id, index_t{machine_keeps_state ? r.applied.size() : 0});
}

void core_cluster::deliver(size_t position) {
  auto x = std::move(wire[position]);
  drop(position);
  if (!cuts_.contains({x.from, x.to}))
    step(x.to, received{node_id{x.from}, std::move(x.body)});
}

void core_cluster::drop(size_t position) {
  wire.erase(wire.begin() + static_cast<std::ptrdiff_t>(position));
}

void core_cluster::settle() {
  for (bool is_busy = true; is_busy;) {
    is_busy = !wire.empty() || !snapshots_wanted.empty();
    while (!wire.empty())
      deliver(0);
    if (!snapshots_wanted.empty())
      carry_snapshot();
    for (auto id : ids_) {
      auto& r = at(id);
      if (!r.core)
        continue;
      is_busy |= (!r.unsynced.empty() && !r.is_disk_stuck)
                 || ((!r.to_apply.empty() || r.restore) && !machine_stuck) || !r.reads.empty();
      sync(id);
      if (!machine_stuck)
        apply(id);
      answer_reads(id);
    }
  }
}

void core_cluster::isolate(uint64_t id) {
  for (auto other : ids_)
    if (other != id) {
      cut(id, other);
      cut(other, id);
    }
}

void core_cluster::elect(uint64_t id) {
  // Who trusts an old leader must have waited for it in vain before it votes for another.
  for (auto other : ids_)
    if (other != id && at(other).core && status(other).leader != node_id{}
        && status(other).role == role::follower)
      tick(other, options_.core.election_ticks);
  std::erase_if(wire, [](const packet& x) { return std::holds_alternative<request_vote>(x.body); });
  // The first round may only bring it up to the others' term.
  for (int round = 0; round < 3 && status(id).role != role::leader; ++round) {
    step(id, campaign{});
    settle();
  }
  CAUCUS_ASSERT(status(id).role == role::leader);
}

bool core_cluster::tick_until_leader(uint32_t ticks_max) {
  for (; ticks_max > 0; --ticks_max) {
    tick_all();
    settle();
    const auto id = leader();
    if (id == 0)
      continue;
    const auto followers = membership::tally_votes(members(id), [&](node_id other) {
      const bool follows = is_up(other.value()) && status(other.value()).leader.value() == id
                           && status(other.value()).term == status(id).term;
      return follows ? membership::vote::granted : membership::vote::refused;
    });
    if (followers == membership::vote_result::won)
      return true;
  }
  return false;
}

uint64_t core_cluster::leader() const {
  uint64_t found = 0;
  term_t term;
  for (auto id : ids_)
    if (is_up(id) && status(id).role == role::leader && status(id).term > term) {
      found = id;
      term = status(id).term;
    }
  return found;
}

core_status core_cluster::status(uint64_t id) const { return at(id).core.value().describe(); }

const membership::configuration& core_cluster::members(uint64_t id) const {
  return *at(id).core.value().describe().members;
}

std::vector<uint64_t> core_cluster::log_terms(uint64_t id) const {
  std::vector<uint64_t> out;
  for (const auto& e : at(id).shadow.log)
    out.push_back(e->id.term.value());
  return out;
}

std::optional<core_cluster::answer> core_cluster::answer_to(uint64_t request) const {
  auto found = answers_.find(request);
  return found == answers_.end() ? std::nullopt : std::optional{found->second};
}

bool core_cluster::is_committed(uint64_t request) const {
  return committed_payloads_.contains("request-" + std::to_string(request));
}

membership::member_change change_of(enum membership::member_change::kind what, uint64_t node) {
  return {what, node_id{node}, {"host", static_cast<uint16_t>(1000 + node)}};
}

membership::change_request at_once(std::vector<membership::member_change> changes,
                                   membership::change_mode mode) {
  return {.changes = std::move(changes), .expected_id = {}, .mode = mode, .even_if_behind = true};
}

core_cluster cluster_of(uint64_t voters) {
  core_cluster::options x;
  x.voters.clear();
  for (uint64_t id = 1; id <= voters; ++id)
    x.voters.push_back(id);
  return core_cluster{x};
}

void pass_time(core_cluster& x, uint32_t ticks) {
  for (; ticks > 0; --ticks) {
    x.tick_all();
    x.settle();
  }
}

} // namespace caucus::test
