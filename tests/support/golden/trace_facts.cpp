#include "tests/support/golden/trace_session.hpp"
#include "tests/support/golden/trace_text.hpp"

namespace caucus::golden {

using namespace raft;

namespace {

std::string machine_text(const scripted_replica& x) {
  std::string out;
  for (const auto& e : x.applied())
    if (e->body.kind == entry_kind::command)
      out += (out.empty() ? "" : " ") + std::string{e->body.payload.view()};
  return out;
}

} // namespace

void trace_session::show_state(trace_command& x) {
  const auto ids = ids_or_running(x);
  x.finish();
  for (auto id : ids)
    say(node_id{id}, to_text(at(id).status()));
}

void trace_session::show_log(trace_command& x) {
  const auto ids = ids_or_running(x);
  x.finish();
  for (auto id : ids) {
    const auto before = at(id).compacted();
    say(node_id{id},
        (before.index ? "after " + to_text(before) + " " : "") + to_text(at(id).log()));
  }
}

void trace_session::show_peers(trace_command& x) {
  const auto id = x.number("node");
  x.finish();
  for (const auto& peer : running(id).status().peers)
    out_.push_back(std::to_string(peer.id.value()) + " " + to_text(peer));
}

void trace_session::show_members(trace_command& x) {
  const auto ids = ids_or_running(x);
  x.finish();
  for (auto id : ids) {
    const auto now = at(id).status();
    say(node_id{id},
        "members by " + std::to_string(now.configuration_id.value()) + ": " + to_text(*now.members)
          + (now.removed_by ? " removed by " + std::to_string(now.removed_by.value()) : ""));
  }
}

void trace_session::show_machine(trace_command& x) {
  const auto ids = ids_or_running(x);
  x.finish();
  for (auto id : ids)
    say(node_id{id}, "machine: " + machine_text(at(id)));
}

/// A fact that rewriting can't change. `expect NODE... role= term= commit= leader= log=(terms)
/// machine=(words)`.
void trace_session::expect(trace_command& x) {
  const auto role = x.text("role");
  const auto terms = x.numbers_of("log");
  const auto machine = x.list("machine");
  const auto voters = x.numbers_of("voters");
  const auto outgoing = x.numbers_of("outgoing");
  const auto learners = x.numbers_of("learners");
  std::map<std::string, std::optional<uint64_t>> numbers;
  for (const auto* key : {"term", "commit", "leader", "vote", "applied", "last", "asleep"})
    numbers[key] = x.number_of(key);
  const auto ids = ids_or_running(x);
  x.finish();
  for (auto id : ids) {
    const auto require = [id](const std::string& what, const auto& got, const auto& wanted) {
      if (got != wanted)
        throw script_error{"fact: " + what + " of node " + std::to_string(id) + " is " + got
                           + ", not " + wanted};
    };
    const auto now = at(id).status();
    const std::map<std::string, uint64_t> found{
      {"term", now.term.value()},       {"commit", now.commit.value()},
      {"leader", now.leader.value()},   {"vote", now.voted_for.value()},
      {"applied", now.applied.value()}, {"last", now.last.value()},
      {"asleep", now.is_asleep ? 1 : 0}};
    for (const auto& [key, wanted] : numbers)
      if (wanted)
        require(key, std::to_string(found.at(key)), std::to_string(*wanted));
    if (role)
      require("role", std::string{to_string(now.role)}, *role);
    std::string got_terms;
    std::string wanted_terms;
    for (const auto& e : at(id).log())
      got_terms += " " + std::to_string(e->id.term.value());
    for (auto term : terms.value_or(std::vector<uint64_t>{}))
      wanted_terms += " " + std::to_string(term);
    if (terms)
      require("log", got_terms, wanted_terms);
    const auto require_nodes = [&](const char* what, const std::set<node_id>& got,
                                   const std::optional<std::vector<uint64_t>>& wanted) {
      std::set<node_id> nodes;
      for (auto node : wanted.value_or(std::vector<uint64_t>{}))
        nodes.insert(node_id{node});
      if (wanted)
        require(what, to_text(got), to_text(nodes));
    };
    require_nodes("voters", now.members->voters, voters);
    require_nodes("outgoing", now.members->outgoing, outgoing);
    require_nodes("learners", now.members->learners, learners);
    std::string wanted_machine;
    for (const auto& word : machine.value_or(std::vector<std::string>{}))
      wanted_machine += (wanted_machine.empty() ? "" : " ") + word;
    if (machine)
      require("machine", machine_text(at(id)), wanted_machine);
  }
}

} // namespace caucus::golden
