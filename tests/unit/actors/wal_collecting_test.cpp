// What the log's writer does for the collector of its segments.

#include "persistence/segment_collector.hpp"
#include "tests/unit/actors/running_writer.hpp"

namespace caucus::testing {

namespace {

constexpr uint64_t segment_bytes = 64 << 10;

persistence::wal_options small_segments() {
  persistence::wal_options x;
  x.segment_bytes = segment_bytes;
  x.spare_segments_max = 0;
  return x;
}

/// Has begun a third segment.
struct collected_writer : running_writer {
  collected_writer() : running_writer{small_segments()} {
    for (uint64_t index = 1; index <= 7; ++index) {
      append(index, large);
      REQUIRE(next_word() == "persisted " + std::to_string(index));
    }
    wait_for_turns(1);                   // It has looked ahead, too.
    REQUIRE(disk().names().size() >= 4); // One is set aside.
  }
  std::optional<persistence::carried> read() {
    auto next = collector.next(1, large);
    REQUIRE(next.ok());
    return *std::move(next);
  }

  persistence::segment_collector collector{shared_reader()};
};

} // namespace

TEST_CASE("entries that are moved are written without a sync of their own") {
  collected_writer writer;
  const auto syncs = writer.disk().sync_count();
  const auto writes = writer.writes();
  const auto told = writer.collect(writer.read());
  CHECK(told.bytes > large);
  CHECK(writer.writes() == writes + 1);
  CHECK(writer.disk().sync_count() == syncs);
  writer.collect(std::nullopt); // What else is there, and then it may go.
  CHECK(writer.disk().sync_count() > syncs);
}

TEST_CASE("a removed segment's blocks are left to the collector to give back") {
  collected_writer writer;
  gc_carried told;
  for (int steps = 0; steps < 20 && told.removed == 0; ++steps)
    told = writer.collect(writer.read());
  CHECK(told.removed == 1);
  REQUIRE(told.file);
  CHECK(*told.file->size() == segment_bytes);
}

} // namespace caucus::testing
