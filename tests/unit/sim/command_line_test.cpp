#include "apps/sim/command_line.hpp"
#include "apps/sim/options.hpp"

#include <doctest/doctest.h>

#include <iostream>
#include <sstream>

using namespace caucus;
using namespace caucus::sim;

namespace {

/// What the program says to these arguments when it refuses them; empty: it takes them.
std::string refusal(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "caucus-sim");
  std::vector<char*> argv;
  for (auto& x : arguments)
    argv.push_back(x.data());
  std::ostringstream said;
  auto* const before = std::cerr.rdbuf(said.rdbuf());
  const auto parsed = parse_command_line(static_cast<int>(argv.size()), argv.data());
  std::cerr.rdbuf(before);
  CHECK(parsed.exit_code.value_or(2) == 2);
  CHECK(parsed.exit_code.has_value() == !said.str().empty());
  return said.str();
}

std::string why_not(const options& x) {
  const auto fits = check_together(x);
  return fits ? "" : fits.reason().what;
}

} // namespace

TEST_SUITE("sim/command_line") {
  TEST_CASE("a value out of its option's range is refused, with the name and the range") {
    for (const char* bad :
         {"nodes=99", "nodes=0", "nodes=-1", "nodes=three", "nodes=3 ", "nodes="}) {
      CAPTURE(bad);
      CHECK(refusal({"--set", bad}).find("for nodes; a whole number from 1 to 7 is")
            != std::string::npos);
    }
    CHECK(
      refusal({"--set", "loss_permille=5000"}).find("loss_permille; a whole number from 0 to 1000")
      != std::string::npos);
    CHECK(refusal({"--set", "nodes=3", "--set", "torn=2"}).find("for torn") != std::string::npos);
    CHECK(refusal({"--set", "nodes"}).find("no name=value") != std::string::npos);
    CHECK(refusal({"--set", "noodles=3"}).find("no name=value") != std::string::npos);
    CHECK(refusal({"--events", "-5"}).find("--events") != std::string::npos);
    CHECK(refusal({"--set", "nodes=7", "--set", "loss_permille=1000"}).empty());
  }

  TEST_CASE("each option's ends are taken, what lies beyond isn't, and no seed draws that") {
    for (const auto& row : option_table()) {
      CAPTURE(row.name);
      const auto set = [&](int64_t value) {
        options x;
        return set_option(x, std::string{row.name} + "=" + std::to_string(value)).ok();
      };
      CHECK(set(row.least));
      CHECK(set(row.most));
      CHECK_FALSE(set(row.least - 1));
      CHECK_FALSE(set(row.most + 1));
    }
    for (uint64_t seed = 1; seed <= 2000; ++seed) {
      const auto x = drawn_options(seed);
      CHECK(why_not(x) == "");
      for (const auto& row : option_table()) {
        const bool is_within = row.least <= x.*row.field && x.*row.field <= row.most;
        CHECK_MESSAGE(is_within, seed, ": ", row.name, "=", x.*row.field);
      }
    }
  }

  TEST_CASE("options that no run can have at once are refused") {
    CHECK(why_not({.election_ticks = 4, .heartbeat_ticks = 2}) == "");
    CHECK(why_not({.election_ticks = 3, .heartbeat_ticks = 2}).find("heartbeat_ticks")
          != std::string::npos);
    CHECK(why_not({.check_quorum = 0, .lease = 1}).find("lease") != std::string::npos);
    CHECK(why_not({.check_quorum = 0, .liveness = 2}).find("liveness=2") != std::string::npos);
    CHECK(why_not({.pre_vote = 0, .liveness = 2}).find("liveness=2") != std::string::npos);
    CHECK(why_not({.pre_vote = 0, .check_quorum = 0, .liveness = 1}) == "");
  }

  TEST_CASE("files that are of one run are refused for several") {
    for (const char* option : {"--history", "--trace", "--dump"}) {
      CAPTURE(option);
      CHECK(refusal({"--seeds", "2", option, "x"}).find(option) != std::string::npos);
      CHECK(refusal({"--seeds", "1", option, "x"}).empty());
    }
  }
}
