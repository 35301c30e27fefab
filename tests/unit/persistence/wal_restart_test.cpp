#include "persistence/segment_collector.hpp"
#include "tests/unit/persistence/wal_fixture.hpp"

using namespace caucus;
using namespace caucus::testing;

TEST_SUITE("persistence/wal restart") {
  TEST_CASE("E-02 what a failed sync has lost is written again before a restart builds upon it") {
    memory_disk disk;
    auto running = start(disk);
    running.log->add(descriptor(group_a));
    running.put(group_a, entries(1, 3, 1));
    running.log->add(group_a, entries(4, 6, 1));
    bool fails = true;
    disk.on_call([&](const disk_call& x) {
      return fails && x.kind == disk_call::kind::sync
               ? std::optional{error{errc::io_failed, "Input/output error"}}
               : std::nullopt;
    });
    REQUIRE(!running.log->commit(true));
    fails = false;
    running = restart(disk, std::move(running)); // Only the process: the page cache stays.
    REQUIRE(running.group_last(group_a) == 6);
    running.put(group_a, entries(7, 9, 1)); // Acknowledges 4 to 6 as well.
    running = {};
    auto left = disk.after_crash(std::vector<uint32_t>(disk.crash_choices().size(), 0));
    CHECK(start(left).group_last(group_a) == 9);
  }

  TEST_CASE("entries that were moved are no end of the log when the newest are too large") {
    memory_disk disk;
    auto options = small_options();
    options.segment_bytes = 16 << 10;
    options.recovered_tail_bytes = 1000;
    auto running = start(disk, options);
    running.log->add(descriptor(group_a));
    running.put(group_a, entries(1, 2, 1));
    running.put(group_a, entries(3, 3, 1, std::string(20'000, 'x')));
    running.put(group_a, entries(4, 4, 1, std::string(20'000, 'x')));
    persistence::segment_collector collector{running.log->reader()};
    while (*collect_step(*running.log, collector, 100'000) != persistence::collected::nothing
           && running.log->oldest_segment() == 1)
      ;
    running = restart(disk, std::move(running), options);
    CHECK(running.group_last(group_a) == 4);
    const auto& tail = running.group(group_a).tail;
    CHECK((tail.empty() || tail.back()->id.index == index_t{4}));
  }
}
