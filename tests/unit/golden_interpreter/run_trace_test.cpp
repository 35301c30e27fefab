#include "tests/support/golden/run_trace.hpp"

#include <doctest/doctest.h>

using namespace caucus::golden;

namespace {

const std::string good = "# Why.\n"
                         "add 1 voters=(1)   # alone\n"
                         "campaign 1\n"
                         "----\n"
                         "1 is pre_candidate\n"
                         "\n"
                         "quiet settle\n"
                         "expect 1 role=leader term=1 log=(1)\n"
                         "----\n"
                         "ok\n"
                         "\n"
                         "# The end.\n";

std::string rewritten(std::string text) {
  const auto done = run_trace(text, true);
  CHECK(done.failure == "");
  return text;
}

std::string failure_of(std::string text, bool rewrites = false) {
  return run_trace(text, rewrites).failure;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  return text.replace(text.find(from), from.size(), to);
}

} // namespace

TEST_SUITE("golden/run_trace") {
  TEST_CASE("a rewritten trace passes, and keeps its comments") {
    auto text = rewritten(good);
    CHECK(failure_of(text) == "");
    CHECK(text.starts_with("# Why.\nadd 1 voters=(1)   # alone\ncampaign 1\n----\n1 is"));
    CHECK(text.ends_with("\nquiet settle\nexpect 1 role=leader term=1 log=(1)\n----\nok\n\n"
                         "# The end.\n"));
    CHECK(rewritten(text) == text);
    const auto counted = run_trace(text, false);
    CHECK(counted.steps == 2);
    CHECK(counted.commands == 4);
  }

  TEST_CASE("a step that says something else fails and shows both") {
    auto text = rewritten(good);
    const auto wrong = replaced(text, "----\nok", "----\nwell");
    CHECK(has(failure_of(wrong), "line 8: expected (-) and came (+)"));
    CHECK(has(failure_of(wrong), "- well\n  + ok"));
    CHECK(failure_of(replaced(text, "1 is", "2 is")) != "");
  }

  TEST_CASE("a fact that isn't so fails even when rewritten") {
    for (const auto& [from, to] : {std::pair{"role=leader", "role=follower"},
                                   {"term=1", "term=2"},
                                   {"log=(1)", "log=(1,1)"}}) {
      const auto wrong = replaced(good, from, to);
      CHECK(has(failure_of(wrong, true), "fact: "));
    }
  }

  TEST_CASE("what is not known fails: commands, words, keys, nodes") {
    CHECK(has(failure_of("fly 1\n----\nok\n"), "there is no command 'fly'"));
    CHECK(has(failure_of("add 1 voters=(1) mood=good\n----\nok\n"), "'mood'"));
    CHECK(has(failure_of("add 1 voters=(1)\nwire now\n----\nok\n"), "'now'"));
    CHECK(has(failure_of("add 1 voters=(1\n----\nok\n"), "parenthesis"));
    CHECK(has(failure_of("add 1 voters=(one)\n----\nok\n"), "not a number"));
    CHECK(has(failure_of("add 1 election=3 election=4\n----\nok\n"), "twice"));
    CHECK(has(failure_of("campaign 1\n----\nok\n"), "there is no node 1"));
    CHECK(has(failure_of("campaign\n----\nok\n"), "which node?"));
  }

  TEST_CASE("a trace that is cut off, or empty, fails") {
    CHECK(has(failure_of(""), "no step"));
    CHECK(has(failure_of("# only a comment\n"), "no step"));
    CHECK(has(failure_of("add 1\n"), "no ---- follows"));
    CHECK(has(failure_of("add 1\n----\n"), "cut off"));
    CHECK(has(failure_of("# nothing\n----\nok\n"), "nothing is commanded"));
  }

  TEST_CASE("a core that breaks a rule fails the trace") {
    // Two nodes that each believe to be alone, in one term.
    CHECK(has(failure_of("add 1 voters=(1) pre_vote=off\n"
                         "add 2 voters=(2) pre_vote=off\n"
                         "campaign 1\ncampaign 2\nquiet settle\n----\nok\n",
                         true),
              "violated"));
  }
}
