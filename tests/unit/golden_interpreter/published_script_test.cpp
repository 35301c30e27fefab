#include "tests/golden/published_script.hpp"

#include <doctest/doctest.h>

using namespace caucus;

namespace {

// A script of our own in the published format.
const std::string script = "add-nodes 3 voters=(1,2,3) index=5\n----\nok\n\n"
                           "campaign 2\n----\nok\n\n"
                           "stabilize\n----\n"
                           "  INFO 2 became leader at term 1\n"
                           "> 2 handling Ready\n"
                           "  CommittedEntries:\n"
                           "  1/6 EntryNormal \"\"\n\n"
                           "propose 2 x\n----\nok\n\n"
                           "stabilize 2 3\n----\nok\n\n"
                           "raft-log 3\n----\n1/6 EntryNormal \"\"\n1/7 EntryNormal \"x\"\n\n"
                           "raft-state\n----\n"
                           "1: StateFollower (Voter) Term:1 Lead:2\n"
                           "2: StateLeader (Voter) Term:1 Lead:2\n\n"
                           "status 2\n----\n"
                           "1: StateReplicate match=6 next=8 inflight=1\n"
                           "3: StateReplicate match=7 next=8\n\n";

std::vector<std::string> failures_of(const std::string& text) {
  const auto cases = datadriven::parse_cases(text);
  REQUIRE(cases);
  return golden::published_script{}.play(*cases).failures;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  return text.replace(text.find(from), from.size(), to);
}

} // namespace

TEST_SUITE("golden/published_script") {
  TEST_CASE("a script's facts hold") {
    CHECK(failures_of(script) == std::vector<std::string>{});
    const auto cases = datadriven::parse_cases(script);
    CHECK(golden::published_script{}.play(*cases).facts == 7);
  }

  TEST_CASE("each kind of fact fails when it isn't so") {
    for (const auto& [from, to] :
         {std::pair{"INFO 2 became leader", "INFO 1 became leader"},
          {"1/6 EntryNormal \"\"\n\n", "1/6 EntryNormal \"y\"\n\n"},
          {"1/7 EntryNormal \"x\"", "1/7 EntryNormal \"y\""},
          {"1/7 EntryNormal", "2/7 EntryNormal"},
          {"StateLeader", "StateFollower"},
          {"1: StateFollower (Voter) Term:1", "1: StateFollower (Voter) Term:2"},
          {"match=6", "match=7"},
          {"inflight=1", "inflight=2"}}) {
      CAPTURE(from);
      CHECK(failures_of(replaced(script, from, to)).size() == 1);
    }
  }

  TEST_CASE("what isn't understood fails") {
    for (const auto& [from, to] : {std::pair{"stabilize 2 3", "dance 2 3"},
                                   {"index=5", "index=5 mood=good"},
                                   {"1: StateReplicate", "1: Progress"}}) {
      CAPTURE(from);
      CHECK(failures_of(replaced(script, from, to)).size() == 1);
    }
  }
}
