#include "actors/tick_roster.hpp"

#include "actors/election_pace.hpp"
#include "tests/support/virtual_cluster.hpp"

#include <caf/send.hpp>
#include <doctest/doctest.h>

#include <set>

namespace caucus {

namespace {

using needs = tick_roster::needs;
constexpr needs led{.leader = false};
constexpr needs asleep{.core = false, .leader = false};

struct roster_fixture {
  ~roster_fixture() {
    for (auto& [id, group] : groups)
      ticks.leave(group_id{group}, places.at(group));
    for (auto& one : actors)
      caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
    world.settle();
  }

  tick_roster::place_ptr enter(uint64_t group, const needs& what, uint64_t self = 1) {
    auto actor = world.system().spawn(
      [](caf::event_based_actor*, int) -> caf::behavior { return {[](group_tick) {}}; }, 0);
    auto place = ticks.enter(group_id{group}, node_id{self}, caf::actor_cast<replica_actor>(actor));
    groups.emplace(actor.id(), group);
    actors.push_back(std::move(actor));
    ticks.tell(group_id{group}, place, what);
    return places.insert_or_assign(group, place).first->second;
  }
  /// Of which groups: those that get a tick that counts, or one that doesn't.
  std::vector<uint64_t> due(bool must_count = true) {
    std::vector<uint64_t> found;
    ticks.for_each_due(limits, [&](const replica_actor& who, bool counts) {
      if (counts == must_count)
        found.push_back(groups.at(who.id()));
    });
    return found;
  }
  /// The same, and all look at theirs at once.
  std::vector<uint64_t> taken() {
    auto found = due();
    for (auto& [group, place] : places)
      place->take_tick();
    return found;
  }
  size_t sleepers() {
    size_t count = 0;
    ticks.for_each_sleeper([&](const replica_actor&) { ++count; });
    return count;
  }

  testing::virtual_cluster world{{.nodes = 0}};
  tick_roster ticks;
  tick_roster::limits limits{.leaderless = 100, .tries = 3};
  std::map<uint64_t, tick_roster::place_ptr> places; ///< By group.
  std::map<caf::actor_id, uint64_t> groups;
  std::vector<caf::actor> actors;
};

} // namespace

TEST_CASE_FIXTURE(roster_fixture, "of ticks that pile up before a late replica it gets one") {
  auto late = enter(1, led);
  auto prompt = enter(2, led);
  CHECK(due().size() == 2);
  prompt->take_tick();
  CHECK(due() == std::vector<uint64_t>{2});
  CHECK(due().empty());
  late->take_tick();
  prompt->take_tick();
  CHECK(due().size() == 2);
}

TEST_CASE_FIXTURE(roster_fixture, "who sleeps gets no ticks, and hears what sleepers are told") {
  auto one = enter(1, led);
  enter(2, led);
  CHECK(sleepers() == 0);
  ticks.tell(group_id{1}, one, asleep);
  CHECK(taken() == std::vector<uint64_t>{2});
  CHECK(sleepers() == 1);
  CHECK(ticks.awake() == 1);
  ticks.tell(group_id{1}, one, led);
  CHECK(taken().size() == 2);
  CHECK(sleepers() == 0);
}

TEST_CASE_FIXTURE(roster_fixture, "while something waits beside the core its ticks don't count") {
  enter(1, {.core = false, .leader = false, .is_expected = true});
  CHECK(taken().empty());
  CHECK(due(false) == std::vector<uint64_t>{1});
  CHECK(sleepers() == 0);
}

TEST_CASE_FIXTURE(roster_fixture, "who left is neither ticked nor told, and its successor is") {
  auto old = enter(1, led);
  auto next = enter(1, led);
  ticks.leave(group_id{1}, old);
  CHECK(taken() == std::vector<uint64_t>{1});
  ticks.tell(group_id{1}, next, asleep);
  CHECK(sleepers() == 1);
  ticks.leave(group_id{1}, next);
  CHECK(sleepers() == 0);
  CHECK(ticks.awake() == 0);
}

TEST_CASE_FIXTURE(roster_fixture,
                  "without leaders so many groups are ticked at a time, and whoever "
                  "found one makes room") {
  limits.leaderless = 2;
  for (uint64_t group = 1; group <= 5; ++group)
    enter(group, needs{});
  enter(6, led);
  std::set<uint64_t> found{6};
  for (const size_t left : {2, 2, 1}) {
    size_t ticked = 0;
    for (auto group : taken()) {
      ticked += found.insert(group).second ? 1 : 0;
      ticks.tell(group_id{group}, places.at(group), led);
    }
    CHECK(ticked == left);
  }
  CHECK(taken().size() == 6);
}

TEST_CASE_FIXTURE(roster_fixture, "who finds no leader in its turn makes room, and comes again") {
  limits.leaderless = 2;
  for (uint64_t group = 1; group <= 6; ++group)
    enter(group, needs{});
  std::map<uint64_t, size_t> ticked;
  const auto first = taken();
  for (auto group : first)
    ++ticked[group];
  while (ticked.size() < 3) { // The first two keep their turn until they had their tries.
    CHECK(ticked.size() == 2);
    for (auto group : taken())
      ++ticked[group];
  }
  for (auto group : first)
    CHECK(ticked.at(group) == limits.tries);
  for (int round = 0; round < 60; ++round)
    for (auto group : taken())
      ++ticked[group];
  CHECK(ticked.size() == 6);
  for (auto [group, count] : ticked)
    CHECK(count >= 2 * limits.tries);
}

TEST_CASE_FIXTURE(roster_fixture, "who waits for its turn still hears of deadlines") {
  limits.leaderless = 0;
  enter(1, {.is_expected = true});
  enter(2, needs{});
  CHECK(due(false) == std::vector<uint64_t>{1});
}

TEST_CASE_FIXTURE(roster_fixture, "where many are awake each takes every second tick, or third") {
  limits.led = 10;
  for (uint64_t group = 1; group <= 9; ++group)
    enter(group, led);
  CHECK(taken().size() == 9);
  for (uint64_t group = 10; group <= 25; ++group)
    enter(group, led);
  std::map<uint64_t, size_t> ticked;
  size_t most = 0;
  for (int round = 0; round < 12; ++round) {
    const auto found = taken();
    most = std::max(most, found.size());
    for (auto group : found)
      ++ticked[group];
  }
  CHECK(most < 20); // Not all at the same time.
  CHECK(ticked.size() == 25);
  for (auto [group, count] : ticked)
    CHECK(count == 4);
  CHECK(due(false).empty()); // The others aren't even asked.
}

TEST_CASE_FIXTURE(roster_fixture, "where many are awake deadlines and elections don't wait") {
  limits.led = 1;
  for (uint64_t group = 1; group <= 20; ++group)
    enter(group, led);
  enter(21, {.leader = false, .is_expected = true});
  enter(22, needs{});
  for (int round = 0; round < 5; ++round) {
    std::set<uint64_t> visited;
    ticks.for_each_due(limits, [&](const replica_actor& who, bool counts) {
      const auto group = groups.at(who.id());
      visited.insert(group);
      CHECK((group != 22 || counts));
    });
    CHECK(visited.contains(21));
    CHECK(visited.contains(22));
    for (auto& [group, place] : places)
      place->take_tick();
    ticks.tell(group_id{22}, places.at(22), led); // Its tries begin anew.
    ticks.tell(group_id{22}, places.at(22), needs{});
  }
}

TEST_CASE("two nodes begin with different groups of those that have no leader") {
  roster_fixture one, other;
  one.limits.leaderless = other.limits.leaderless = 10;
  for (uint64_t group = 1; group <= 100; ++group) {
    one.enter(group, needs{}, 1);
    other.enter(group, needs{}, 2);
  }
  const auto begun = one.taken();
  const std::set<uint64_t> mine{begun.begin(), begun.end()};
  size_t both = 0;
  for (auto group : other.taken())
    both += mine.contains(group) ? 1 : 0;
  CHECK(mine.size() == 10);
  CHECK(both < 5);
}

TEST_CASE("more groups look for leaders while the timer is on time, fewer when it is late") {
  election_pace pace{3};
  CHECK(pace.groups() == election_pace::at_first);
  pace.note(false);
  pace.note(false);
  CHECK(pace.groups() == election_pace::at_first);
  pace.note(false);
  CHECK(pace.groups() == 2 * election_pace::at_first);
  pace.note(false);
  pace.note(false);
  pace.note(true);
  CHECK(pace.groups() == election_pace::at_first);
  pace.note(false);
  pace.note(false);
  CHECK(pace.groups() == election_pace::at_first);
  for (int i = 0; i < 100; ++i)
    pace.note(true);
  CHECK(pace.groups() == election_pace::at_least);
  for (int i = 0; i < 1000; ++i)
    pace.note(false);
  CHECK(pace.groups() == election_pace::at_most);
}

} // namespace caucus
