#include "apps/sim/clients.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace caucus::sim {

clients::clients(const options& x, uint64_t seed, surroundings world, totals& counts)
  : options_{x},
    draw_{seed},
    world_{std::move(world)},
    counts_{counts},
    clients_(static_cast<size_t>(x.clients) + 1),
    log_(1) {}

void clients::start() {
  for (uint32_t i = 1; i < clients_.size(); ++i)
    think(i, 0);
}

void clients::mark() noexcept {
  marked_ = moments_;
  is_served_ = false;
}

bool clients::is_idle() const noexcept {
  return std::all_of(clients_.begin(), clients_.end(),
                     [](const client& x) { return x.operation == 0; });
}

void clients::plan(uint32_t number, int64_t at_us) {
  clients_[number].due_us = at_us;
  world_.wake_at(number, at_us);
}

void clients::think(uint32_t number, int64_t now_us) {
  auto& x = clients_[number];
  x.operation = 0;
  x.state = state::thinking;
  plan(number, now_us + 1 + draw_.around(options_.think_us));
}

void clients::wake(uint32_t number, int64_t now_us) {
  auto& x = clients_[number];
  if (now_us < x.due_us)
    return; // Planned for something that has happened already.
  switch (x.state) {
    case state::thinking:
      if (!is_stopping_)
        begin(number, now_us);
      break;
    case state::asking: fail(number, errc::timeout, now_us); break;
    case state::waiting_to_ask_again: attempt(number, now_us); break;
  }
}

history::action clients::some_action(const client& asker) {
  history::action x;
  x.object = static_cast<uint32_t>(draw_.below(options_.registers + 1));
  if (draw_.permille(300))
    return x;
  if (x.object == 0) {
    x.kind = history::action::kind::add;
    x.argument = 1;
    return x;
  }
  // Nobody else puts this value: whoever reads it knows what has happened. With values that come
  // back (or steps of different sizes above), the judge would have to try all combinations of
  // operations whose fate is unknown.
  x.argument = asker.operation;
  x.kind = draw_.permille(400) ? history::action::kind::cas : history::action::kind::put;
  if (x.kind == history::action::kind::cas)
    x.expected = asker.seen[x.object];
  return x;
}

void clients::begin(uint32_t number, int64_t now_us) {
  auto& x = clients_[number];
  x.operation = static_cast<uint32_t>(log_.size());
  x.was_maybe_done = false;
  x.attempt = 0;
  const auto what = some_action(x);
  choose_way(x, what);
  logged next{.what = {.client = number, .what = {}, .called = ++moments_}};
  next.is_session = x.is_opening;
  next.is_stale = x.reads_by == raft::consistency::stale;
  if (!x.is_opening)
    next.what.what = what;
  log_.push_back(next);
  attempt(number, now_us);
}

/// Through the log, within a session or without one, or (a get) by a read.
void clients::choose_way(client& x, const history::action& what) {
  const bool is_get = what.kind == history::action::kind::get;
  const bool is_sessionless = draw_.permille(options_.sessionless_permille);
  x.reads_by.reset();
  if (is_get && !draw_.permille(options_.log_reads_permille))
    x.reads_by = draw_.permille(options_.stale_reads_permille)   ? raft::consistency::stale
                 : draw_.permille(options_.lease_reads_permille) ? raft::consistency::lease
                                                                 : raft::consistency::linearizable;
  x.has_session = !is_sessionless && !x.reads_by;
  x.is_opening = x.has_session && !x.session;
  if (x.has_session && !x.is_opening)
    ++x.sequence;
}

raft::command clients::command_of(const client& x) const {
  if (x.is_opening)
    return {.kind = raft::entry_kind::session,
            .payload = raft::encode(raft::open_session{
              .timeout_ns = options_.session_timeout_us * 1000, .sessions_max = 100'000})};
  raft::command out{.payload = encode(client_command{x.operation, log_[x.operation].what.what},
                                      options_.payload_bytes)};
  if (x.has_session) {
    out.session = x.session;
    out.sequence = x.sequence;
    out.lowest_unanswered = x.sequence;
  }
  return out;
}

void clients::attempt(uint32_t number, int64_t now_us) {
  auto& x = clients_[number];
  ++counts_.client_operations;
  x.state = state::asking;
  ++x.attempt;
  plan(number, now_us + options_.attempt_us);
  const caller who{number, x.operation, x.attempt};
  if (!send(world_.some_node(draw_), who))
    fail(number, errc::no_leader, now_us);
}

bool clients::send(uint8_t node, caller who) {
  const auto& x = clients_[who.client];
  if (x.reads_by)
    return world_.read(node, who, log_[x.operation].what.what.object, *x.reads_by);
  return world_.propose(node, who, command_of(x));
}

void clients::answer(caller who, const attempt_result& x, int64_t now_us) {
  auto& c = clients_[who.client];
  if (c.operation != who.operation)
    return; // Given up.
  if (x.reason != errc::none) {
    if (c.attempt == who.attempt && c.state == state::asking)
      fail(who.client, x.reason, now_us);
    return;
  }
  auto& known = log_[who.operation];
  known.what.returned = ++moments_;
  known.what.told = x.answer;
  if (c.is_opening) {
    c.session = x.session;
    c.sequence = {};
  } else {
    ++counts_.acknowledged;
    if (known.is_stale) {
      ++counts_.reads_stale;
      think(who.client, now_us);
      return;
    }
    const auto& did = known.what.what;
    const bool has_put = did.kind == history::action::kind::put
                         || (did.kind == history::action::kind::cas && x.answer.is_ok);
    c.seen[did.object] = has_put ? did.argument : x.answer.value;
    is_served_ |= known.what.called > marked_;
  }
  think(who.client, now_us);
}

void clients::fail(uint32_t number, errc reason, int64_t now_us) {
  auto& x = clients_[number];
  x.was_maybe_done |= !is_not_executed(reason) && !x.reads_by;
  const bool is_session_over = reason == errc::session_expired || reason == errc::session_gap
                               || reason == errc::session_stale || reason == errc::session_window;
  const bool may_ask_again = x.has_session || !x.was_maybe_done;
  if (is_session_over || !may_ask_again || x.attempt >= options_.attempts_max) {
    give_up(number);
    think(number, now_us);
    return;
  }
  x.state = state::waiting_to_ask_again;
  plan(number, now_us + 1 + draw_.around(options_.retry_us));
}

void clients::give_up(uint32_t number) {
  auto& x = clients_[number];
  auto& known = log_[x.operation];
  if (x.has_session)
    x.session = {}; // Its next sequence would wait for this one for ever.
  if (x.is_opening)
    return;
  if (x.was_maybe_done) {
    ++counts_.unknown;
  } else {
    ++counts_.rejected;
    known.is_rejected = true;
    world_.rejected(x.operation);
  }
}

std::vector<history::operation> clients::history() const {
  std::vector<history::operation> out;
  for (size_t i = 1; i < log_.size(); ++i)
    if (!log_[i].is_rejected && !log_[i].is_session && !log_[i].is_stale)
      out.push_back(log_[i].what);
  return out;
}

} // namespace caucus::sim
