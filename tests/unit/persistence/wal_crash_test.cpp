#include "tests/unit/persistence/recycle_fixture.hpp"
#include "tests/unit/persistence/wal_workload.hpp"

using namespace caucus;
using namespace caucus::testing;

namespace {

/// Mostly a power loss; else only the process dies, and what it didn't sync may be lost later.
void end_life(memory_disk& disk, rng& random) {
  if (random.chance(25))
    disk.kill();
  else
    disk.crash(random.next());
}

uint64_t batches_of(workload_kind kind) {
  switch (kind) {
    case workload_kind::plain: return 12;
    case workload_kind::collecting: return 40;
    case workload_kind::overlapping: return 60;
  }
  return 0;
}

/// One life of a disk: crashes at its `call`th change, then starts (and maybe crashes in that, too)
/// until it runs again. What was violated, if anything.
std::string crash_and_recover(uint64_t workload_seed, uint64_t call, uint64_t crash_seed,
                              bool is_synced, workload_kind kind = workload_kind::plain) {
  memory_disk disk;
  disk.ignore_syncs(!is_synced);
  wal_workload load{workload_seed, kind};
  rng random{crash_seed};
  disk.stop_at(call);
  if (load.start_on(disk))
    load.run(batches_of(kind));
  load.stop();
  end_life(disk, random);
  for (int attempt = 0; attempt < 4 && load.violation().empty(); ++attempt) {
    // Recovery itself may be interrupted anywhere; the last attempt isn't (RELIABILITY W-08).
    disk.stop_at(attempt < 3 ? disk.call_count() + 1 + random.below(9) : 0);
    if (load.start_on(disk))
      load.run(4);
    else if (attempt == 3 && load.violation().empty())
      return "it does not start: " + to_string(load.failure());
    load.stop();
    end_life(disk, random);
  }
  return load.violation();
}

/// How many changing calls the workload makes when nothing fails.
uint64_t count_calls(uint64_t workload_seed, workload_kind kind = workload_kind::plain) {
  memory_disk disk;
  wal_workload load{workload_seed, kind};
  REQUIRE(load.start_on(disk));
  load.run(batches_of(kind));
  CHECK((load.overlapped() >= 5) == (kind == workload_kind::overlapping));
  CHECK((recycled_of(disk) > 0) == (kind != workload_kind::plain));
  return disk.call_count();
}

/// Four workloads, cut at each of their calls.
void crash_workloads(workload_kind kind, uint64_t first_workload) {
  uint64_t states = 0;
  uint64_t calls_max = 0;
  for (auto workload = first_workload; workload < first_workload + 4; ++workload) {
    const auto calls = count_calls(workload, kind);
    calls_max = std::max(calls_max, calls);
    for (uint64_t call = 1; call <= calls + 1; ++call)
      for (uint64_t seed = 1; seed <= 4; ++seed, ++states) {
        CAPTURE(workload);
        CAPTURE(call);
        CAPTURE(seed);
        REQUIRE(crash_and_recover(workload, call, rng::mix(call * 8 + seed), true, kind) == "");
      }
  }
  CHECK(calls_max >= 200);
  CHECK(states > 2000);
  MESSAGE("crashes: ", states);
}

/// Every call of these workloads fails once, each in a life of its own.
void fail_each_call(workload_kind kind, uint64_t workloads) {
  uint64_t failures = 0;
  for (uint64_t workload = 1; workload <= workloads; ++workload) {
    const auto calls = count_calls(workload, kind);
    for (uint64_t failing = 1; failing <= calls; ++failing) {
      memory_disk disk;
      disk.on_call([&](const disk_call& call) -> std::optional<error> {
        if (call.number != failing)
          return std::nullopt;
        return error{errc::io_failed, "injected"};
      });
      CAPTURE(workload);
      CAPTURE(failing);
      wal_workload load{workload, kind};
      if (load.start_on(disk))
        load.run(batches_of(kind));
      failures += load.failure().code == errc::none ? 0 : 1;
      load.stop();
      disk.on_call({});
      disk.crash(failing);
      REQUIRE(load.violation() == "");
      // E-01: it trusts what it can read, and that has all acknowledged.
      REQUIRE(load.start_on(disk));
      load.run(3);
      load.stop();
      disk.crash(failing + 1);
      REQUIRE(load.start_on(disk));
    }
  }
  CHECK(failures > 200);
}

} // namespace

TEST_SUITE("persistence/wal_crash") {

  TEST_CASE("a crash at any write, sync or rename loses nothing acknowledged (W-01, W-06, W-16)") {
    uint64_t states = 0;
    for (uint64_t workload = 1; workload <= 24; ++workload) {
      const auto calls = count_calls(workload);
      for (uint64_t call = 1; call <= calls + 1; ++call)
        for (uint64_t seed = 1; seed <= 4; ++seed, ++states) {
          CAPTURE(workload);
          CAPTURE(call);
          CAPTURE(seed);
          REQUIRE(crash_and_recover(workload, call, rng::mix(call * 8 + seed), true) == "");
        }
    }
    CHECK(states > 3000);
  }

  // In parts, which run side by side: with sanitizers all of it takes minutes.
  TEST_CASE(
    "the same with segments that are collected meanwhile (W-07, W-10, S-43, S-55), 1 of 4") {
    crash_workloads(workload_kind::collecting, 101);
  }
  TEST_CASE(
    "the same with segments that are collected meanwhile (W-07, W-10, S-43, S-55), 2 of 4") {
    crash_workloads(workload_kind::collecting, 105);
  }
  TEST_CASE(
    "the same with segments that are collected meanwhile (W-07, W-10, S-43, S-55), 3 of 4") {
    crash_workloads(workload_kind::collecting, 109);
  }
  TEST_CASE(
    "the same with segments that are collected meanwhile (W-07, W-10, S-43, S-55), 4 of 4") {
    crash_workloads(workload_kind::collecting, 113);
  }

  TEST_CASE("the same while two syncs are under way (W-01, W-06, W-16), 1 of 2") {
    crash_workloads(workload_kind::overlapping, 201);
  }
  TEST_CASE("the same while two syncs are under way (W-01, W-06, W-16), 2 of 2") {
    crash_workloads(workload_kind::overlapping, 205);
  }

  TEST_CASE("without the sync the same crashes do lose what was acknowledged") {
    uint64_t lost = 0;
    for (uint64_t workload = 1; workload <= 4; ++workload)
      for (uint64_t call = 1; call <= count_calls(workload) + 1; ++call)
        lost += crash_and_recover(workload, call, rng::mix(call), false).empty() ? 0 : 1;
    CHECK(lost > 20);
  }

  TEST_CASE("a failed sync or write fences the log for ever (E-01, E-02, E-03)") {
    for (const auto kind : {disk_call::kind::sync, disk_call::kind::write}) {
      for (const auto code : {errc::io_failed, errc::no_space}) {
        memory_disk disk;
        auto node = start(disk);
        node.log->add(descriptor(group_a));
        node.put(group_a, entries(1, 2, 1));
        bool fails = true;
        disk.on_call([&](const disk_call& call) -> std::optional<error> {
          if (call.kind != kind || !fails)
            return std::nullopt;
          fails = false; // The next call would succeed: it must not be tried.
          return error{code, "cannot do it: memory/" + std::string{call.name}};
        });
        node.log->add(group_a, entries(3, 3, 1));
        const auto failed = node.log->commit(true);
        REQUIRE_FALSE(failed.ok());
        CHECK(failed.reason().code == (code == errc::no_space ? code : errc::wal_io_failed));
        CHECK(failed.reason().what.find(first_segment) != std::string::npos);
        const auto calls = disk.call_count();
        CHECK(node.log->commit(true).reason() == failed.reason());
        node.log->add(group_a, entries(4, 4, 1));
        CHECK(node.log->commit(false).reason() == failed.reason());
        CHECK(disk.call_count() == calls);
        // What wasn't acknowledged can't be read back, what was can, also after a power loss.
        CHECK(node.log->reader()->read(group_a, index_t{1}, index_t{9}, 1 << 20)->size() == 2);
        node = {};
        disk.crash(3);
        auto again = start(disk);
        CHECK(ids(again.group(group_a).tail).starts_with("1@1 2@1"));
      }
    }
  }

  TEST_CASE("no failing call is ever acknowledged, whichever it is (E-01 to E-04, E-07)") {
    fail_each_call(workload_kind::plain, 8);
  }

  TEST_CASE("no failing call is ever acknowledged while two syncs are under way (E-01 to E-04)") {
    fail_each_call(workload_kind::overlapping, 4);
  }

  TEST_CASE("an error while reading at start is reported, not taken for a torn tail") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(descriptor(group_a));
    node.put(group_a, entries(1, 9, 1));
    node = {};
    disk.kill();
    int reads = 0;
    for (int failing = 1;; ++failing) {
      reads = 0;
      disk.on_call([&](const disk_call& call) -> std::optional<error> {
        if (call.kind == disk_call::kind::read && ++reads == failing)
          return error{errc::io_failed, "injected"};
        return std::nullopt;
      });
      const auto refused = try_start(disk, small_options());
      if (reads < failing)
        break;
      disk.kill();
      REQUIRE_FALSE(refused.ok());
      REQUIRE(refused.reason().code == errc::io_failed);
    }
    CHECK(reads > 1);
  }

} // TEST_SUITE
