// Segments that go: what moved from them stays, and readers that were about to read them.

#include "persistence/segment_collector.hpp"
#include "persistence/segment_header.hpp"
#include "tests/support/forwarding_directory.hpp"
#include "tests/unit/persistence/collect_fixture.hpp"

#include <algorithm>
#include <utility>

using namespace caucus;
using namespace caucus::testing;
using namespace caucus::persistence;

namespace {

/// Does something just before a file is opened, or after, once.
class hooked_directory final : public forwarding_directory {
public:
  using forwarding_directory::forwarding_directory;

  std::function<void()> on_open;
  std::function<void()> on_opened;

  result<std::unique_ptr<file>> open(std::string_view name) override {
    if (auto hook = std::exchange(on_open, nullptr))
      hook();
    auto opened = forwarding_directory::open(name);
    if (auto hook = std::exchange(on_opened, nullptr))
      hook();
    return opened;
  }
};

/// What the first segment has of one group lives, an entry and a small snapshot among it; another
/// group has given up all the rest.
struct hooked_log {
  memory_disk disk;
  std::unique_ptr<directory> inner = *disk.open();
  hooked_directory dir{*inner};
  storage node{
    .dir = nullptr, .log = std::move(wal::open(dir, self, tiny_segments())->log), .found = {}};
  std::shared_ptr<log_reader> reader = node.log->reader();

  hooked_log() {
    node.log->add(descriptor(group_a));
    node.log->add(descriptor(group_b, 8));
    node.put(group_a, entries(1, 3, 1));
    node.log->add(group_a, small_mark(boundary(2, 1), "state"));
    grow(node, group_b, 1, 100);
    node.log->add(group_b, mark(boundary(100, 1), boundary(100, 1)));
    node.commit();
  }
  void check_entries() {
    const auto read = reader->read(group_a, index_t{1}, index_t{3}, 1 << 20);
    REQUIRE(read.ok());
    CHECK(ids(*read) == "1@1 2@1 3@1");
  }
  void check_snapshot() {
    const auto read = reader->read_snapshot(group_a, index_t{2});
    REQUIRE(read.ok());
    CHECK(read->bytes.view() == "state");
  }
};

} // namespace

TEST_SUITE("persistence/wal_removal") {

  TEST_CASE("a segment that goes between look-up and opening is looked up again (W-20)") {
    hooked_log x;
    // The collector opens files, too: only the first opening counts.
    x.dir.on_open = [&] { CHECK(collect(x.node) > 0); };
    SUBCASE("entries") { x.check_entries(); }
    SUBCASE("a small snapshot") { x.check_snapshot(); }
    SUBCASE("but one that is missing where the index points is damage") {
      x.dir.on_open = [&] { x.disk.erase(first_segment); };
      const auto read = x.reader->read(group_a, index_t{1}, index_t{3}, 1 << 20);
      REQUIRE_FALSE(read.ok());
      CHECK(read.reason().code == errc::wal_corrupt);
    }
    CHECK_FALSE(x.dir.on_open);
  }

  TEST_CASE("a segment that is emptied after it was opened is looked up again (W-20)") {
    hooked_log x;
    auto emptied = *x.inner->open(first_segment); // As the collector does it, in pieces.
    x.dir.on_opened = [&] {
      CHECK(collect(x.node) > 0);
      emptied->shrink(0);
    };
    SUBCASE("entries") { x.check_entries(); }
    SUBCASE("a small snapshot") { x.check_snapshot(); }
    CHECK_FALSE(x.dir.on_opened);
  }

  TEST_CASE("a removed segment's file is handed out once, with its blocks") {
    memory_disk disk;
    auto how = tiny_segments();
    how.spare_segments_max = 1;
    auto node = start(disk, how);
    node.log->add(descriptor(group_a, 7));
    grow(node, group_a, 1, 100);
    node.log->add(group_a, mark(boundary(100, 1), boundary(100, 1)));
    while (node.log->carry_metadata(1)) {
    }
    node.commit();
    CHECK(*node.log->retire_oldest() == wal::retirement::waiting);
    CHECK(node.log->take_removed() == nullptr);
    node.commit();
    CHECK(*node.log->retire_oldest() == wal::retirement::removed);
    CHECK(node.log->take_removed() == nullptr); // That one is kept: it must never shrink.
    CHECK(*node.log->retire_oldest() == wal::retirement::removed);
    const auto removed = node.log->take_removed();
    REQUIRE(removed);
    CHECK(*removed->size() == tiny_segments().segment_bytes);
    CHECK(node.log->take_removed() == nullptr);
  }

  TEST_CASE("entries that were moved without a sync survive a power failure at every call (W-07)") {
    uint64_t calls = 0;
    bool is_whole = false;
    for (uint64_t stop = 1; !is_whole; ++stop)
      for (uint64_t seed = 1; seed <= 6; ++seed) {
        CAPTURE(stop);
        CAPTURE(seed);
        memory_disk disk;
        auto node = start_with(disk, {group_a, group_b});
        for (uint64_t i = 1; i <= 10; ++i) { // Some of each segment live.
          grow(node, group_a, 3 * i - 2, 3 * i);
          grow(node, group_b, 20 * i - 19, 20 * i);
        }
        node.log->add(group_b, mark(boundary(200, 1), boundary(200, 1)));
        node.commit();
        disk.stop_at(disk.call_count() + stop);
        segment_collector collector{node.log->reader()};
        const auto oldest = node.log->oldest_segment();
        is_whole = true;
        for (int step = 1; is_whole && node.log->oldest_segment() < oldest + 3; ++step) {
          const auto retired = node.log->retire_oldest();
          is_whole = retired.ok();
          if (!retired || *retired == wal::retirement::removed)
            continue;
          node.log->carry_metadata(700);
          if (const auto next = collector.next(node.log->oldest_segment(), 700); next && *next)
            node.log->carry(**next);
          is_whole = node.log->commit(step % 16 == 0).ok();
        }
        calls = std::max(calls, stop);
        node = {};
        disk.crash(seed);
        node = start(disk, tiny_segments());
        REQUIRE_FALSE(node.group(group_a).damaged);
        CHECK(node.group_last(group_a) == 30);
        const auto read = node.log->reader()->read(group_a, index_t{1}, index_t{30}, 1 << 20);
        REQUIRE(read.ok());
        CHECK(read->size() == 30);
      }
    CHECK(calls > 20);
  }

} // TEST_SUITE
