#include "tests/support/golden/trace_session.hpp"

#include "base/assert.hpp"
#include "tests/support/golden/trace_text.hpp"

#include <algorithm>

namespace caucus::golden {

using namespace raft;

namespace {

/// More rounds than any script needs to come to rest.
constexpr int rounds_max = 1000;

/// Messages with the same text are one line: `1 -> 2,3 text`.
std::vector<std::string> join(const std::vector<envelope>& messages) {
  std::vector<std::pair<std::string, std::string>> found; // text, receivers
  for (const auto& x : messages) {
    auto text = to_text(x.body);
    const auto to = std::to_string(x.to.value());
    const auto same = std::ranges::find(found, text, &std::pair<std::string, std::string>::first);
    if (same == found.end())
      found.emplace_back(std::move(text), to);
    else
      same->second += "," + to;
  }
  std::vector<std::string> out;
  for (const auto& [text, to] : found)
    out.push_back("-> " + to + " " + text);
  return out;
}

std::string arrow(const trace_session::packet& x) {
  return std::to_string(x.from.value()) + " -> " + std::to_string(x.to.value()) + " " + x.text();
}

} // namespace

// -- work of a ready ---------------------------------------------------------------

void trace_session::take_from(uint64_t id) {
  const auto said = at(id).take({now_ns_, now_ns_});
  for (const auto& line : describe(said))
    say(node_id{id}, line);
  for (const auto& line : join(said.messages))
    say(node_id{id}, line);
  for (const auto& e : said.committed)
    CAUCUS_ASSERT(committed_.emplace(e->id.index, e->id).first->second == e->id);
}

size_t trace_session::send_from(uint64_t id, size_t count) {
  auto& outbox = at(id).outbox;
  size_t sent = 0;
  for (; sent < count && !outbox.empty(); ++sent) {
    wire_.push_back({node_id{id}, outbox.front().to, std::move(outbox.front().body)});
    outbox.pop_front();
  }
  auto& r = at(id);
  for (; sent < count && !r.snapshots.empty(); ++sent) {
    const auto wanted = r.snapshots.front();
    r.snapshots.pop_front();
    auto file = std::make_shared<const snapshot_file>(r.make_snapshot());
    if (file->at.last.index >= wanted.at_least)
      wire_.push_back({node_id{id}, wanted.to, {}, std::move(file)});
  }
  return sent;
}

size_t trace_session::persist_at(uint64_t id, size_t count) {
  auto& r = at(id);
  size_t done = 0;
  persist_seq upto;
  for (; done < count && !r.unsynced.empty(); ++done)
    upto = r.write_next();
  if (done > 0) {
    say(node_id{id}, "has #" + std::to_string(upto.value()) + " on disk");
    step(id, persisted{upto});
  }
  return done;
}

size_t trace_session::apply_at(uint64_t id, size_t count) {
  auto& r = at(id);
  size_t done = 0;
  index_t upto;
  for (; done < count && !r.to_apply.empty(); ++done)
    upto = r.apply_next();
  if (done > 0) {
    say(node_id{id}, "applied " + std::to_string(upto.value()));
    step(id, applied{upto});
  }
  return done;
}

void trace_session::work_automatically(uint64_t id, const automatic_work& which) {
  if (which.take && at(id).has_ready())
    take_from(id);
  if (which.send)
    send_from(id, ~size_t{0});
  // Each of these steps, and so comes back here until there is nothing left.
  if (which.persist)
    persist_at(id, ~size_t{0});
  if (which.apply)
    apply_at(id, ~size_t{0});
}

bool trace_session::work_at(uint64_t id) {
  auto& r = at(id);
  bool has_worked = false;
  for (int round = 0; round < rounds_max; ++round) {
    bool is_busy = r.has_ready();
    if (is_busy)
      take_from(id);
    is_busy |= send_from(id, ~size_t{0}) > 0;
    is_busy |= persist_at(id, ~size_t{0}) > 0;
    if (!r.reads.empty()) {
      is_busy = true;
      step(id, r.read_next());
    }
    is_busy |= apply_at(id, ~size_t{0}) > 0;
    if (!is_busy)
      return has_worked;
    has_worked = true;
  }
  throw script_error{std::to_string(id) + " never comes to rest"};
}

void trace_session::take(trace_command& x) {
  const auto ids = ids_or_running(x);
  x.finish();
  for (auto id : ids)
    if (at(id).has_ready())
      take_from(id);
}

void trace_session::work_off(trace_command& x, size_t (trace_session::*part)(uint64_t, size_t)) {
  const auto count = x.number_of("count").value_or(~size_t{0});
  const auto ids = ids_or_running(x);
  x.finish();
  for (auto id : ids)
    (this->*part)(id, count);
}

void trace_session::send(trace_command& x) { work_off(x, &trace_session::send_from); }
void trace_session::persist(trace_command& x) { work_off(x, &trace_session::persist_at); }
void trace_session::apply(trace_command& x) { work_off(x, &trace_session::apply_at); }

void trace_session::answer_read(trace_command& x) {
  const auto id = x.number("node");
  const bool is_failing = x.flag("failing");
  x.finish();
  if (running(id).reads.empty())
    throw script_error{std::to_string(id) + " reads nothing"};
  auto done = at(id).read_next();
  if (is_failing)
    done.entries.clear();
  step(id, std::move(done));
}

void trace_session::work(trace_command& x) {
  const auto ids = ids_or_running(x);
  x.finish();
  for (auto id : ids)
    work_at(id);
}

void trace_session::settle(trace_command& x) {
  const auto ids = ids_or_running(x);
  x.finish();
  for (int round = 0; round < rounds_max; ++round) {
    bool is_busy = false;
    for (auto id : ids)
      is_busy |= work_at(id);
    for (auto id : ids)
      is_busy |= deliver_to({.to = {node_id{id}}});
    if (!is_busy)
      return;
  }
  throw script_error{"they never come to rest"};
}

// -- the network ---------------------------------------------------------------------

std::string trace_session::packet::kind() const { return snapshot ? "snapshot" : kind_of(body); }

std::string trace_session::packet::text() const {
  if (!snapshot)
    return to_text(body);
  return "snapshot upto=" + to_text(snapshot->at.last) + " members by "
         + std::to_string(snapshot->at.members.id.value());
}

bool trace_session::filter::is_for(const packet& x) const {
  return (to.empty() || to.contains(x.to)) && (from.empty() || from.contains(x.from))
         && (kinds.empty() || kinds.contains(x.kind()));
}

trace_session::filter trace_session::read_filter(trace_command& x) {
  filter out;
  out.is_newest_first = x.flag("newest");
  out.keeps = x.flag("copy");
  for (auto id : x.numbers())
    out.to.insert(node_id{id});
  for (auto id : x.numbers_of("from").value_or(std::vector<uint64_t>{}))
    out.from.insert(node_id{id});
  for (auto& kind : x.list("type").value_or(std::vector<std::string>{}))
    out.kinds.insert(kind);
  out.count = x.number_of("count").value_or(out.count);
  x.finish();
  return out;
}

std::vector<trace_session::packet> trace_session::pick(const filter& x) {
  std::vector<packet> out;
  std::deque<packet> left;
  auto all = std::exchange(wire_, {});
  if (x.is_newest_first)
    std::ranges::reverse(all);
  for (auto& next : all) {
    const bool is_picked = out.size() < x.count && x.is_for(next);
    if (!is_picked || x.keeps)
      left.push_back(next);
    if (is_picked)
      out.push_back(std::move(next));
  }
  if (x.is_newest_first)
    std::ranges::reverse(left);
  wire_ = std::move(left);
  return out;
}

bool trace_session::deliver_to(const filter& x) {
  const auto picked = pick(x);
  for (const auto& next : picked)
    deliver_one(next);
  return !picked.empty();
}

void trace_session::deliver_one(const packet& x) {
  const auto to = x.to.value();
  if (!replicas_.contains(x.to) || !at(to).is_up()) {
    out_.push_back("lost " + arrow(x));
    report_snapshot(x, false);
    return;
  }
  say(x.to, "<- " + std::to_string(x.from.value()) + " " + x.text());
  waited_.erase(to);
  if (!x.snapshot) {
    step(to, received{x.from, x.body});
    return;
  }
  // Received as a whole and durable.
  at(to).keep(*x.snapshot);
  const auto& entries = x.snapshot->executed;
  step(to, snapshot_installed{x.snapshot->at, entries.empty() ? 0 : entries.back()->wall_ns});
  report_snapshot(x, true);
}

void trace_session::report_snapshot(const packet& x, bool has_arrived) {
  if (x.snapshot && at(x.from.value()).is_up())
    step(x.from.value(), snapshot_sent{x.to, has_arrived});
}

void trace_session::deliver(trace_command& x) {
  if (!deliver_to(read_filter(x)))
    out_.emplace_back("nothing is delivered");
}

void trace_session::drop(trace_command& x) {
  for (const auto& next : pick(read_filter(x))) {
    out_.push_back("lost " + arrow(next));
    report_snapshot(next, false);
  }
}

void trace_session::show_wire(trace_command& x) {
  x.finish();
  for (const auto& next : wire_)
    out_.push_back(arrow(next));
}

} // namespace caucus::golden
