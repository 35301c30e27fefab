// The log's writer on a thread of its own: the next large batch is written while one is synced.

#include "tests/unit/actors/running_writer.hpp"

namespace caucus::testing {

TEST_CASE("a large batch is written while the one before is synced, acknowledged in order") {
  running_writer writer;
  writer.disk().hold_syncs(true);
  const auto syncs = writer.disk().sync_count();
  writer.begin_two();
  CHECK(writer.disk().sync_count() == syncs);
  CHECK(writer.says_nothing_more());
  writer.append(3, large); // A third waits.
  writer.disk().hold_syncs(false);
  CHECK(writer.next_word() == "persisted 1");
  CHECK(writer.next_word() == "persisted 2");
  CHECK(writer.next_word() == "persisted 3");
  CHECK(writer.reader().read(group, index_t{1}, index_t{9}, 1 << 20)->size() == 3);
}

TEST_CASE("small batches wait for a sync that is under way, and go together") {
  running_writer writer;
  writer.disk().hold_syncs(true);
  writer.append(1, large);
  REQUIRE(writer.wait_for_writes(1));
  for (uint64_t index = 2; index <= 9; ++index)
    writer.append(index, small);
  writer.wait_for_turns(2); // One for the appends, one for the flush behind them.
  CHECK(writer.writes() == 1);
  writer.disk().hold_syncs(false);
  CHECK(writer.next_word() == "persisted 1");
  CHECK(writer.next_word() == "persisted 9");
  CHECK(writer.writes() == 2);
}

TEST_CASE("of two syncs that fail neither is acknowledged, and the node is told why (E-01)") {
  running_writer writer;
  writer.disk().hold_syncs(true);
  writer.begin_two();
  writer.append(3, large);
  writer.fail_syncs();
  writer.disk().hold_syncs(false);
  CHECK(writer.next_word().starts_with("failed: cannot sync wal-0000000000000001.log: planted"));
  writer.append(4, large);
  writer.close();
  CHECK(writer.says_nothing_more());
}

TEST_CASE("the writer closes after what is under way is durable and acknowledged") {
  running_writer writer;
  writer.disk().hold_syncs(true);
  writer.begin_two();
  writer.append(3, small);
  writer.disk().hold_syncs(false);
  writer.close();
  CHECK(writer.next_word() == "persisted 1");
  CHECK(writer.next_word() == "persisted 2");
  CHECK(writer.next_word() == "persisted 3");
}

TEST_CASE("batches that don't fit beside one another still all get durable, across segments") {
  running_writer writer;
  constexpr uint64_t count = 80;
  for (uint64_t index = 1; index <= count; ++index)
    writer.append(index, 1 << 20); // More than one segment.
  for (std::string word; word != "persisted " + std::to_string(count);) {
    word = writer.next_word();
    REQUIRE(word.starts_with("persisted"));
  }
  writer.close();
  CHECK(writer.disk().names().size() == 3); // One is set aside.
}

} // namespace caucus::testing
