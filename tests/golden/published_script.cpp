#include "tests/golden/published_script.hpp"

#include "base/assert.hpp"
#include "tests/support/golden/trace_text.hpp"

#include <algorithm>
#include <regex>

namespace caucus::golden {

namespace {

using datadriven::test_case;

/// Their first election is for term 1, ours for term 2.
uint64_t our_term(const std::string& theirs) { return std::stoull(theirs) + 1; }

std::string joined(const std::vector<std::string>& words, const std::string& separator) {
  std::string out;
  for (const auto& word : words)
    out += (out.empty() ? "" : separator) + word;
  return out;
}

std::string list(const test_case& x, const std::string& key) {
  const auto found = x.arguments.find(key);
  return found == x.arguments.end() ? "" : joined(found->second, ",");
}

/// An entry of ours as they spell theirs: `term/index what`.
std::string spell(const raft::entry& x) {
  const auto id = std::to_string(x.id.term.value() - 1) + "/" + std::to_string(x.id.index.value());
  if (x.body.kind == raft::entry_kind::configuration)
    return id + " EntryConfChange";
  return id + " EntryNormal \"" + std::string{x.body.payload.view()} + "\"";
}

/// Without what a configuration's entry says, which is each implementation's own.
std::string normalized(const std::string& line) {
  static const std::regex change{R"(^(\S+ EntryConfChange).*)"};
  return std::regex_replace(line.substr(line.find_first_not_of(' ')), change, "$1");
}

bool is_entry(const std::string& line) {
  static const std::regex entry{R"(^ *\d+/\d+ Entry(Normal|ConfChange).*)"};
  return std::regex_match(line, entry);
}

} // namespace

published_script::outcome published_script::play(const std::vector<test_case>& cases) {
  run("automatic nothing");
  for (const auto& x : cases) {
    line_ = x.line;
    try {
      play_one(x);
      compare_elections(x);
      note_commits(x);
      ++out_.commands;
    } catch (const std::exception& e) {
      check(false, x.command + ": " + e.what());
      return out_; // What follows would start from somewhere else.
    }
  }
  compare_commits();
  return out_;
}

void published_script::play_one(const test_case& x) {
  static const std::map<std::string, handler> handlers{
    {"add-nodes", &published_script::add_nodes},
    {"campaign", &published_script::campaign},
    {"deliver-msgs", &published_script::deliver},
    {"process-ready", &published_script::take_ready},
    {"propose", &published_script::propose},
    {"propose-conf-change", &published_script::propose_change},
    {"raft-log", &published_script::compare_log},
    {"raft-state", &published_script::compare_roles},
    {"status", &published_script::compare_progress},
  };
  const auto words = joined(x.words, " ");
  if (const auto found = handlers.find(x.command); found != handlers.end())
    (this->*found->second)(x);
  else if (x.command == "stabilize")
    run("settle " + words);
  else if (x.command == "compact")
    run("compact " + words);
  else if (x.command == "tick-heartbeat")
    run("tick " + words);
  else if (x.command == "tick-election")
    run("tick count=3 " + words);
  else if (x.command == "process-append-thread")
    run("persist count=1 " + words);
  else if (x.command == "process-apply-thread")
    run("apply count=1 " + words);
  else if (x.command != "log-level")
    throw script_error{"is not understood"};
}

void published_script::add_nodes(const test_case& x) {
  std::string text = "add";
  for (auto left = std::stoull(x.words.at(0)); left > 0; --left)
    text += " " + std::to_string(++nodes_);
  for (const auto& [key, values] : x.arguments) {
    const auto value = joined(values, ",");
    if (key == "voters" || key == "learners")
      text += " " + key + "=(" + value + ")";
    else if (key == "inflight")
      text += " inflight=" + value;
    else if (key == "index")
      text += " compacted=" + value;
    else if (key == "checkquorum")
      checks_quorum_ = true;
    else if (key == "prevote")
      sounds_out_ = true;
    else if (key == "async-storage-writes")
      is_asynchronous_ = true;
    else if (!values.empty())
      throw script_error{"'" + key + "' is not understood"};
  }
  // Where clocks move on purpose, their timeout; elsewhere nobody may run by itself.
  text += checks_quorum_ ? " election=3" : " election=100";
  run(text + (sounds_out_ ? " pre_vote=on" : " pre_vote=off"));
  if (!x.arguments.contains("voters"))
    introduce_leaders();
}

/// The first heartbeat of a term goes unanswered with ours, for the term isn't on disk yet; that
/// one doesn't count. (Theirs answers it later.)
void published_script::introduce_leaders() {
  for (const auto& [id, replica] : session_.replicas())
    if (replica.status().role == raft::role::leader) {
      run("tick " + std::to_string(id.value()));
      run("work " + std::to_string(id.value()));
      run("deliver " + std::to_string(nodes_) + " type=heartbeat");
      run("work " + std::to_string(nodes_));
      run("drop type=heartbeat");
    }
}

/// Where neither side would ask first or keep to a leader that it hears, theirs doesn't and ours
/// always does: there the campaign counts as asked for by the leader.
void published_script::campaign(const test_case& x) {
  const bool is_plain = sounds_out_ || checks_quorum_;
  if (sounds_out_)
    for (uint64_t id = 1; id <= nodes_; ++id)
      if (session_.replicas().at(node_id{id}).status().role != raft::role::leader)
        run("wait " + std::to_string(id));
  run("campaign " + x.words.at(0) + (is_plain || nodes_ == 1 ? "" : " asked"));
}

void published_script::deliver(const test_case& x) {
  if (const auto dropped = list(x, "drop"); !dropped.empty())
    run("drop " + std::regex_replace(dropped, std::regex{","}, " "));
  for (const auto& id : x.words)
    run("deliver " + id);
}

/// Theirs does all of a ready at once, unless disks and machines are told.
void published_script::take_ready(const test_case& x) {
  const auto words = joined(x.words, " ");
  if (is_asynchronous_) {
    run("ready " + words);
    run("send " + words);
  } else {
    run("work " + words);
  }
}

/// Theirs puts each proposal into an append of its own: a ready each.
void published_script::propose(const test_case& x) {
  run("propose " + joined(x.words, " "));
  run("ready " + x.words.at(0));
  const auto said = joined(said_, " ");
  if (x.expected == std::vector<std::string>{"raft proposal dropped"}) // Nor does ours append it.
    check(said.find(" accepted ") == std::string::npos, "the proposal is not accepted: " + said);
}

/// Theirs takes voters that have nothing yet.
void published_script::propose_change(const test_case& x) {
  for (const auto& [key, values] : x.arguments)
    if (key != "v1" && (key != "transition" || values != std::vector<std::string>{"auto"})
        && !values.empty())
      throw script_error{"'" + key + "' is not understood"};
  run("change " + joined(x.words, " ") + " " + joined(x.input, " ") + " behind");
  run("ready " + x.words.at(0));
}

void published_script::compare_log(const test_case& x) {
  std::vector<std::string> ours;
  for (const auto& e : session_.replicas().at(node_id{std::stoull(x.words.at(0))}).log())
    ours.push_back(spell(*e));
  std::vector<std::string> theirs;
  for (const auto& line : x.expected)
    theirs.push_back(normalized(line));
  check(ours == theirs, "log of " + x.words.at(0) + ": theirs " + joined(theirs, ", ") + "; ours "
                          + joined(ours, ", "));
}

void published_script::compare_roles(const test_case& x) {
  static const std::regex line_format{R"((\d+): State(\w+) \((\S+)\) Term:(\d+) Lead:(\d+))"};
  for (const auto& line : x.expected) {
    std::smatch found;
    if (!std::regex_match(line, found, line_format))
      throw script_error{"'" + line + "' is not understood"};
    const auto now = session_.replicas().at(node_id{std::stoull(found[1])}).status();
    if (found[2] == "Leader" && found[3] == "Non-Voter" && now.configuration_id <= now.commit) {
      // They call it a defect that a removed leader goes on leading, ours has handed over.
      check(now.role != raft::role::leader, "theirs " + line + "; ours has resigned");
      return;
    }
    auto role = std::string{to_string(now.role)};
    role.front() = static_cast<char>(std::toupper(role.front()));
    check(role == found[2] && now.term.value() == our_term(found[4])
            && now.leader.value() == std::stoull(found[5]),
          "theirs " + line + "; ours " + to_text(now));
  }
}

void published_script::compare_progress(const test_case& x) {
  static const std::regex line_format{
    R"((\d+): State(\w+) match=(\d+) next=(\d+)(?:.* inflight=(\d+))?.*)"};
  const node_id leader{std::stoull(x.words.at(0))};
  const auto now = session_.replicas().at(leader).status();
  for (const auto& line : x.expected) {
    std::smatch found;
    if (!std::regex_match(line, found, line_format))
      throw script_error{"'" + line + "' is not understood"};
    const node_id id{std::stoull(found[1])};
    const auto peer = std::ranges::find(now.peers, id, &raft::peer_status::id);
    if (id == leader) {
      check(now.last.value() >= std::stoull(found[3]), "theirs " + line + "; ours " + to_text(now));
    } else if (peer == now.peers.end()) {
      check(false, "theirs " + line + "; ours doesn't know that peer");
    } else {
      const auto inflight = found[5].matched ? std::stoull(found[5]) : 0;
      check(peer->match.value() == std::stoull(found[3]) && peer->inflight_messages == inflight,
            "theirs " + line + "; ours " + to_text(*peer));
    }
  }
}

void published_script::compare_elections(const test_case& x) {
  static const std::regex won{R"(\s*INFO (\d+) became leader at term (\d+))"};
  for (const auto& line : x.expected)
    if (std::smatch found; std::regex_match(line, found, won)) {
      const auto leader = session_.leader_of(term_t{our_term(found[2])});
      check(leader.value() == std::stoull(found[1]), "theirs: " + line);
    }
}

void published_script::note_commits(const test_case& x) {
  static const std::regex header{R"(> (\d+) handling Ready)"};
  uint64_t node = x.command == "process-ready" ? std::stoull(x.words.at(0)) : 0;
  bool is_committed = false;
  for (const auto& line : x.expected) {
    std::smatch found;
    if (std::regex_match(line, found, header))
      node = std::stoull(found[1]);
    if (is_committed && is_entry(line))
      committed_.push_back({node, normalized(line)});
    else
      is_committed = line.ends_with("CommittedEntries:");
  }
}

/// Which entries were committed at a node, when everything has come to rest: followers of ours
/// learn of a commit later, by the next append or heartbeat.
void published_script::compare_commits() {
  try {
    for (int round = 0; round < 2; ++round) {
      run("settle");
      run("tick");
    }
    run("settle");
  } catch (const std::exception& e) {
    check(false, std::string{"at the end: "} + e.what());
  }
  for (const auto& [node, entry] : committed_) {
    std::vector<std::string> ours;
    for (const auto& e : session_.replicas().at(node_id{node}).applied())
      ours.push_back(spell(*e));
    check(std::ranges::find(ours, entry) != ours.end(),
          std::to_string(node) + " commits " + entry + "; ours " + joined(ours, ", "));
  }
}

void published_script::check(bool is_so, const std::string& what) {
  if (is_so)
    ++out_.facts;
  else
    out_.failures.push_back("line " + std::to_string(line_) + ": " + what);
}

} // namespace caucus::golden
