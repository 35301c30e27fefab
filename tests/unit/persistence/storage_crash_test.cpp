// One script over all of a node's storage, cut after every single call that changes the disk, with
// what a power loss may then leave of everything unsynced.

#include "tests/unit/persistence/scripted_storage.hpp"

#include <numeric>
#include <set>

using namespace caucus;
using namespace caucus::testing;

namespace {

using decisions = std::vector<uint32_t>;

/// Up to so many ways for a crash to turn out, all are tried.
constexpr uint64_t outcomes_max = 1100;
constexpr uint64_t parts = 4;

persistence::wal_options script_options() {
  auto x = small_options();
  x.segment_bytes = 14 << 10;
  x.zero_ahead_bytes = 4096;
  return x;
}

uint64_t outcomes_of(const decisions& choices) {
  uint64_t product = 1;
  for (const auto ways : choices)
    product = std::min<uint64_t>(product * ways, outcomes_max + 1);
  return product;
}

decisions nth_outcome(const decisions& choices, uint64_t number) {
  decisions made;
  for (const auto ways : choices) {
    made.push_back(static_cast<uint32_t>(number % ways));
    number /= ways;
  }
  return made;
}

decisions draw_outcome(const decisions& choices, rng& random) {
  decisions made;
  for (const auto ways : choices)
    made.push_back(static_cast<uint32_t>(random.below(ways)));
  return made;
}

/// All outcomes if they are few, else: nothing kept, everything, all but one effect, only one, and
/// as many as are left at random.
std::vector<decisions> crashes_to_try(const decisions& choices, uint64_t seed) {
  std::vector<decisions> tried;
  if (const auto all = outcomes_of(choices); all <= outcomes_max) {
    for (uint64_t number = 0; number < all; ++number)
      tried.push_back(nth_outcome(choices, number));
    return tried;
  }
  const decisions nothing(choices.size(), 0);
  auto everything = choices;
  for (auto& x : everything)
    --x;
  tried = {nothing, everything};
  for (size_t i = 0; i < choices.size(); ++i) {
    tried.push_back(nothing);
    tried.back()[i] = everything[i];
    tried.push_back(everything);
    tried.back()[i] = 0;
  }
  rng random{seed};
  while (tried.size() < outcomes_max)
    tried.push_back(draw_outcome(choices, random));
  return tried;
}

/// Tells two disks apart.
uint64_t fingerprint(const memory_disk& disk) {
  uint64_t sum = 0;
  for (const auto& name : disk.names()) {
    const auto content = disk.content(name);
    const std::string_view text{reinterpret_cast<const char*>(content.data()), content.size()};
    sum = rng::mix(sum ^ std::hash<std::string>{}(name)) + std::hash<std::string_view>{}(text);
  }
  return sum;
}

/// The power fails again, and of what isn't synced nothing is kept.
memory_disk lose_unsynced(const memory_disk& disk) {
  return disk.after_crash(decisions(disk.crash_choices().size(), 0));
}

/// Starts on what a crash left, twice, goes on writing, and starts again. What was violated.
std::string recover_and_go_on(memory_disk disk, const script_model& model) {
  const auto options = script_options();
  scripted_storage first{disk, model};
  if (!first.start(options))
    return first.violation();
  first.stop();
  auto disk_again = lose_unsynced(disk);
  scripted_storage second{disk_again, first.model()}; // It may find nothing but the same.
  if (!second.start(options))
    return "after a second crash " + second.violation();
  if (!second.warnings().empty())
    return "the second start still repairs: " + second.warnings().front();
  second.go_on();
  second.stop();
  if (second.failure().code != errc::none)
    return "it doesn't go on: " + to_string(second.failure());
  auto disk_at_last = lose_unsynced(disk_again);
  scripted_storage third{disk_at_last, second.model()};
  if (!third.start(options))
    return "after going on " + third.violation();
  return {};
}

/// The script as far as it comes on a disk that stops at this call.
script_model run_until(memory_disk& disk, uint64_t call) {
  disk.stop_at(call);
  scripted_storage script{disk};
  if (script.start(script_options()))
    script.run();
  return script.model();
}

/// Cuts the script at this call and tries the crashes there; how many states there were.
uint64_t crash_at(uint64_t call) {
  memory_disk disk;
  const auto model = run_until(disk, call);
  std::set<uint64_t> seen;
  for (const auto& outcome : crashes_to_try(disk.crash_choices(), call)) {
    const auto left = disk.after_crash(outcome);
    if (!seen.insert(fingerprint(left)).second)
      continue;
    CAPTURE(call);
    CAPTURE(seen.size());
    REQUIRE(recover_and_go_on(left, model) == "");
  }
  // Only the process dies: what it didn't sync is still there, and may be lost after the next
  // start.
  disk.kill();
  CAPTURE(call);
  REQUIRE(recover_and_go_on(disk, model) == "");
  return seen.size() + 1;
}

/// After a crash at this call, cuts the start at each of its calls; how many states there were.
uint64_t crash_start_after(uint64_t call) {
  memory_disk disk;
  const auto model = run_until(disk, call);
  rng random{call};
  const auto outcome = draw_outcome(disk.crash_choices(), random);
  for (uint64_t cut = 1;; ++cut) {
    auto left = disk.after_crash(outcome);
    left.stop_at(cut);
    scripted_storage starting{left, model};
    const bool is_whole = starting.start(script_options());
    starting.stop();
    const auto left_again = left.after_crash(draw_outcome(left.crash_choices(), random));
    CAPTURE(call);
    CAPTURE(cut);
    REQUIRE(recover_and_go_on(left_again, model) == "");
    if (is_whole)
      return cut;
  }
}

struct script_figures {
  uint64_t calls = 0;
  uint64_t rotations = 0;
  uint64_t removed_segments = 0;
};

script_figures run_whole_script() {
  memory_disk disk;
  scripted_storage script{disk};
  REQUIRE(script.start(script_options()));
  script.run();
  REQUIRE(script.failure() == error{});
  return {disk.call_count(), script.rotations(), script.removed_segments()};
}

/// Every `parts`th call, so that the parts run beside one another.
void crash_at_each_call_of(uint64_t part) {
  const auto calls = run_whole_script().calls;
  uint64_t states = 0;
  for (auto call = part; call <= calls + 1; call += parts)
    states += crash_at(call);
  MESSAGE("calls: ", calls, ", every fourth from ", part, " cut; states: ", states);
  CHECK(states >= 5000); // 20,000 together.
}

} // namespace

TEST_SUITE("persistence/storage_crash") {

  TEST_CASE("the script that is cut rotates, collects, installs, deletes, in 200 calls and more") {
    const auto figures = run_whole_script();
    MESSAGE("calls: ", figures.calls, ", rotations: ", figures.rotations,
            ", segments removed: ", figures.removed_segments);
    CHECK(figures.calls >= 200);
    CHECK(figures.rotations >= 4);
    CHECK(figures.removed_segments >= 3);
  }

  TEST_CASE("a crash at each call of a whole storage keeps all acknowledged (W-01, N-02), 1 of 4") {
    crash_at_each_call_of(1);
  }

  TEST_CASE("a crash at each call of a whole storage keeps all acknowledged (W-06, W-07), 2 of 4") {
    crash_at_each_call_of(2);
  }

  TEST_CASE("a crash at each call of a whole storage keeps all acknowledged (W-10, W-13), 3 of 4") {
    crash_at_each_call_of(3);
  }

  TEST_CASE("a crash at each call of a whole storage keeps all acknowledged (W-16, N-01), 4 of 4") {
    crash_at_each_call_of(4);
  }

  TEST_CASE("the start after a crash may be cut at each of its calls, too (W-08)") {
    uint64_t states = 0;
    for (uint64_t call = 1; call <= run_whole_script().calls + 1; ++call)
      states += crash_start_after(call);
    MESSAGE("states: ", states);
    CHECK(states >= 3000);
  }

} // TEST_SUITE
