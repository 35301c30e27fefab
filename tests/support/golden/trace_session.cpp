#include "tests/support/golden/trace_session.hpp"

#include "base/assert.hpp"
#include "tests/support/golden/trace_text.hpp"

namespace caucus::golden {

using namespace raft;

const std::map<std::string, trace_session::handler>& trace_session::handlers() {
  static const std::map<std::string, handler> all{
    {"add", &trace_session::add},
    {"apply", &trace_session::apply},
    {"automatic", &trace_session::set_automatic},
    {"campaign", &trace_session::campaign},
    {"change", &trace_session::change},
    {"compact", &trace_session::compact},
    {"crash", &trace_session::crash},
    {"deliver", &trace_session::deliver},
    {"elect", &trace_session::elect},
    {"drop", &trace_session::drop},
    {"expect", &trace_session::expect},
    {"log", &trace_session::show_log},
    {"machine", &trace_session::show_machine},
    {"pass", &trace_session::pass_time},
    {"members", &trace_session::show_members},
    {"peers", &trace_session::show_peers},
    {"persist", &trace_session::persist},
    {"propose", &trace_session::propose},
    {"read", &trace_session::read},
    {"read-log", &trace_session::answer_read},
    {"ready", &trace_session::take},
    {"restart", &trace_session::restart},
    {"send", &trace_session::send},
    {"settle", &trace_session::settle},
    {"state", &trace_session::show_state},
    {"step-down", &trace_session::step_down},
    {"tick", &trace_session::tick},
    {"transfer", &trace_session::transfer},
    {"unreachable", &trace_session::report_unreachable},
    {"wait", &trace_session::wait},
    {"wire", &trace_session::show_wire},
    {"work", &trace_session::work},
  };
  return all;
}

std::vector<std::string> trace_session::run(const std::string& text) {
  constexpr std::string_view quietly = "quiet ";
  const bool is_quiet = text.starts_with(quietly);
  trace_command command{std::string_view{text}.substr(is_quiet ? quietly.size() : 0)};
  const auto found = handlers().find(command.name());
  if (found == handlers().end())
    throw script_error{"there is no command '" + command.name() + "'"};
  (this->*found->second)(command);
  auto out = std::exchange(out_, {});
  return is_quiet ? std::vector<std::string>{} : out;
}

namespace {

std::set<node_id> to_nodes(const std::vector<uint64_t>& ids) {
  std::set<node_id> out;
  for (auto id : ids)
    out.insert(node_id{id});
  return out;
}

template <class Number>
void set(Number& option, std::optional<uint64_t> value) {
  if (value)
    option = static_cast<Number>(*value);
}

void set(bool& option, std::optional<bool> value) {
  if (value)
    option = *value;
}

core_options read_options(trace_command& x) {
  core_options out;
  set(out.election_ticks, x.number_of("election"));
  set(out.heartbeat_ticks, x.number_of("heartbeat"));
  set(out.pre_vote, x.is_on("pre_vote"));
  set(out.check_quorum, x.is_on("check_quorum"));
  set(out.forward_proposals, x.is_on("forward"));
  set(out.append_bytes_max, x.number_of("append_bytes"));
  set(out.inflight_messages_max, x.number_of("inflight"));
  set(out.inflight_bytes_max, x.number_of("inflight_bytes"));
  set(out.uncommitted_bytes_max, x.number_of("uncommitted_bytes"));
  set(out.proposal_bytes_max, x.number_of("proposal_bytes"));
  set(out.tail_bytes_max, x.number_of("tail_bytes"));
  set(out.lease, x.is_on("lease"));
  set(out.priority, x.number_of("priority"));
  set(out.quiesce_ticks, x.number_of("quiesce"));
  set(out.seed, x.number_of("seed"));
  return out;
}

/// Entries with these terms after `before`; what they say is their index.
std::vector<entry_ptr> make_log(entry_id before, const std::vector<uint64_t>& terms) {
  std::vector<entry_ptr> out;
  for (auto term : terms) {
    const auto index = before.index + out.size() + 1;
    out.push_back(std::make_shared<const entry>(
      entry{.id = {index, term_t{term}},
            .body = {.payload = shared_bytes::copy_of("e" + std::to_string(index.value()))}}));
  }
  return out;
}

} // namespace

void trace_session::add(trace_command& x) {
  scripted_replica::setup how;
  how.options = read_options(x);
  how.members.voters = to_nodes(x.numbers_of("voters").value_or(std::vector<uint64_t>{}));
  how.members.learners = to_nodes(x.numbers_of("learners").value_or(std::vector<uint64_t>{}));
  how.compacted.index = index_t{x.number_of("compacted").value_or(0)};
  how.compacted.term = term_t{how.compacted.index ? x.number_of("compacted_term").value_or(1) : 0};
  how.log = make_log(how.compacted, x.numbers_of("log").value_or(std::vector<uint64_t>{}));
  const auto last_term = how.log.empty() ? how.compacted.term : how.log.back()->id.term;
  how.hard = {term_t{x.number_of("term").value_or(last_term.value())},
              node_id{x.number_of("vote").value_or(0)},
              index_t{x.number_of("commit").value_or(how.compacted.index.value())}};
  const auto ids = x.numbers();
  x.finish();
  for (auto id : ids) {
    how.options.self = node_id{id};
    if (id == 0 || !replicas_.try_emplace(node_id{id}, how).second)
      throw script_error{"there is a node " + std::to_string(id) + " already"};
  }
}

void trace_session::compact(trace_command& x) {
  const auto id = x.number("node");
  const index_t upto{x.number("index")};
  x.finish();
  auto& r = running(id);
  if (upto > r.status().applied || upto < r.status().first)
    throw script_error{std::to_string(id) + " can't compact up to there: " + to_text(r.status())};
  r.compact(upto, {now_ns_, now_ns_});
  work_automatically(id, automatic_);
}

void trace_session::crash(trace_command& x) {
  const auto ids = x.numbers();
  x.finish();
  for (auto id : ids)
    running(id).crash();
}

void trace_session::restart(trace_command& x) {
  const bool keeps_state = x.text("machine") == "kept";
  const auto ids = x.numbers();
  x.finish();
  for (auto id : ids) {
    if (at(id).is_up())
      throw script_error{std::to_string(id) + " is running"};
    at(id).restart(keeps_state);
    say(node_id{id}, "is back: " + to_text(at(id).status()));
    work_automatically(id, automatic_);
  }
}

void trace_session::set_automatic(trace_command& x) {
  automatic_ = {false, false, false, false};
  while (auto word = x.next_word()) {
    if (*word == "ready")
      automatic_.take = true;
    else if (*word == "send")
      automatic_.send = true;
    else if (*word == "persist")
      automatic_.persist = true;
    else if (*word == "apply")
      automatic_.apply = true;
    else if (*word != "nothing")
      throw script_error{"what is '" + *word + "'?"};
  }
  x.finish();
}

void trace_session::campaign(trace_command& x) {
  const auto id = x.number("node");
  const bool is_asked = x.flag("asked");
  x.finish();
  const auto term = running(id).status().term;
  if (!is_asked) {
    step(id, raft::campaign{});
    return;
  }
  // As if the leader of its term, or of no term yet anybody, had handed over to it.
  auto from = leader_of(term);
  for (auto other = replicas_.begin(); from == node_id{} && other != replicas_.end(); ++other)
    from = other->first == node_id{id} ? node_id{} : other->first;
  step(id, received{from, timeout_now{std::max(term, term_t{1})}});
}

/// Campaigns, everything settles, and everybody hears of what is committed; it must lead then.
void trace_session::elect(trace_command& x) {
  const auto id = std::to_string(x.number("node"));
  x.finish();
  for (const auto* text : {"campaign ", "settle ", "tick ", "settle "}) {
    const std::string next = text;
    trace_command command{next == "settle " ? next : next + id};
    (this->*handlers().at(command.name()))(command);
  }
  if (at(std::stoull(id)).status().role != role::leader)
    throw script_error{id + " was not elected"};
}

void trace_session::tick(trace_command& x) {
  auto count = x.number_of("count").value_or(1);
  const auto ids = ids_or_running(x);
  x.finish();
  for (; count > 0; --count)
    for (auto id : ids)
      step(id, raft::tick{});
}

/// Hears nothing for an election timeout, and what it says meanwhile is lost: a follower no longer
/// trusts its leader then, and a leader that checks its quorum resigns.
void trace_session::wait(trace_command& x) {
  const auto ticks = x.number_of("ticks");
  const auto ids = ids_or_running(x);
  x.finish();
  for (auto id : ids) {
    auto& r = running(id);
    const auto before = r.status();
    const auto timeout = uint64_t{r.options().election_ticks};
    auto left = ticks.value_or(before.role == role::leader ? 2 * timeout : timeout);
    if (before.role != role::leader && (!before.leader || !waited_.insert(id).second))
      continue;
    for (; left > 0 && r.status().role == before.role; --left) {
      r.step(raft::tick{}, {now_ns_, ++now_ns_});
      const auto said = r.has_ready() ? r.take({now_ns_, now_ns_}) : ready{};
      r.outbox.clear();
      for (const auto& line : describe(said))
        say(node_id{id}, line);
    }
  }
}

void trace_session::pass_time(trace_command& x) {
  constexpr int64_t ns_per_ms = 1'000'000;
  now_ns_ += static_cast<int64_t>(x.number("milliseconds")) * ns_per_ms;
  x.finish();
}

scripted_replica& trace_session::at(uint64_t id) {
  const auto found = replicas_.find(node_id{id});
  if (found == replicas_.end())
    throw script_error{"there is no node " + std::to_string(id)};
  return found->second;
}

scripted_replica& trace_session::running(uint64_t id) {
  if (!at(id).is_up())
    throw script_error{std::to_string(id) + " is down"};
  return at(id);
}

std::vector<uint64_t> trace_session::ids_or_running(trace_command& x) {
  auto ids = x.numbers();
  for (auto id : ids)
    running(id);
  if (ids.empty())
    for (const auto& [id, r] : replicas_)
      if (r.is_up())
        ids.push_back(id.value());
  return ids;
}

void trace_session::say(node_id who, const std::string& what) {
  out_.push_back(std::to_string(who.value()) + " " + what);
}

void trace_session::step(uint64_t id, input in) {
  auto& r = at(id);
  now_ns_ += 1000;
  const auto before = r.status().noise;
  r.step(std::move(in), {now_ns_, now_ns_});
  for (const auto& counter : grown(before, r.status().noise))
    say(node_id{id}, "ignores it: " + counter);
  check_agreement(id);
  work_automatically(id, automatic_);
}

void trace_session::check_agreement(uint64_t id) {
  const auto now = at(id).status();
  if (now.role == role::leader)
    CAUCUS_ASSERT(leaders_.emplace(now.term, node_id{id}).first->second == node_id{id});
}

} // namespace caucus::golden
