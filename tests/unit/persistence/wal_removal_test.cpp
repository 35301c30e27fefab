// Segments that go: what moved from them stays, and readers that were about to read them.

#include "persistence/segment_collector.hpp"
#include "persistence/segment_header.hpp"
#include "tests/unit/persistence/collect_fixture.hpp"

#include <algorithm>
#include <utility>

using namespace caucus;
using namespace caucus::testing;
using namespace caucus::persistence;

namespace {

/// Does something just before a file is opened, or after, once.
class hooked_directory final : public directory {
public:
  explicit hooked_directory(directory& inner) : inner_{inner} {}

  std::function<void()> on_open;
  std::function<void()> on_opened;

  [[nodiscard]] std::string path() const override { return inner_.path(); }
  result<std::vector<std::string>> list() override { return inner_.list(); }
  result<std::unique_ptr<file>> open(std::string_view name) override {
    if (auto hook = std::exchange(on_open, nullptr))
      hook();
    auto opened = inner_.open(name);
    if (auto hook = std::exchange(on_opened, nullptr))
      hook();
    return opened;
  }
  result<std::unique_ptr<file>> create(std::string_view name) override {
    return inner_.create(name);
  }
  result<void> rename(std::string_view from, std::string_view to) override {
    return inner_.rename(from, to);
  }
  result<void> remove(std::string_view name) override { return inner_.remove(name); }
  result<void> sync() override { return inner_.sync(); }

private:
  directory& inner_;
};

} // namespace

TEST_SUITE("persistence/wal_removal") {

  TEST_CASE("a segment that goes between look-up and opening is looked up again (W-20)") {
    memory_disk disk;
    auto inner = disk.open();
    REQUIRE(inner.ok());
    hooked_directory dir{**inner};
    auto opened = wal::open(dir, self, tiny_segments());
    REQUIRE(opened.ok());
    storage node{.dir = *std::move(inner), .log = std::move(opened->log), .found = {}};
    node.log->add(descriptor(group_a));
    node.log->add(descriptor(group_b, 8));
    node.put(group_a, entries(1, 3, 1));
    node.log->add(group_a, small_mark(boundary(2, 1), "state"));
    grow(node, group_b, 1, 100);
    node.log->add(group_b, mark(boundary(100, 1), boundary(100, 1)));
    node.commit();
    const auto reader = node.log->reader();
    // The collector opens files, too: only the first opening counts.
    dir.on_open = [&] { CHECK(collect(node) > 0); };
    SUBCASE("entries") {
      const auto read = reader->read(group_a, index_t{1}, index_t{3}, 1 << 20);
      REQUIRE(read.ok());
      CHECK(ids(*read) == "1@1 2@1 3@1");
    }
    SUBCASE("a small snapshot") {
      const auto read = reader->read_snapshot(group_a, index_t{2});
      REQUIRE(read.ok());
      CHECK(read->bytes.view() == "state");
    }
    SUBCASE("but one that is missing where the index points is damage") {
      dir.on_open = [&] { disk.erase(first_segment); };
      const auto read = reader->read(group_a, index_t{1}, index_t{3}, 1 << 20);
      REQUIRE_FALSE(read.ok());
      CHECK(read.reason().code == errc::wal_corrupt);
    }
    CHECK_FALSE(dir.on_open);
  }

  TEST_CASE("a segment that is emptied after it was opened is looked up again (W-20)") {
    memory_disk disk;
    auto inner = disk.open();
    REQUIRE(inner.ok());
    hooked_directory dir{**inner};
    auto opened = wal::open(dir, self, tiny_segments());
    REQUIRE(opened.ok());
    storage node{.dir = *std::move(inner), .log = std::move(opened->log), .found = {}};
    node.log->add(descriptor(group_a));
    node.log->add(descriptor(group_b, 8));
    node.put(group_a, entries(1, 3, 1));
    node.log->add(group_a, small_mark(boundary(2, 1), "state"));
    grow(node, group_b, 1, 100);
    node.log->add(group_b, mark(boundary(100, 1), boundary(100, 1)));
    node.commit();
    const auto reader = node.log->reader();
    auto emptied = *node.dir->open(first_segment); // As the collector does it, in pieces.
    dir.on_opened = [&] {
      CHECK(collect(node) > 0);
      emptied->shrink(0);
    };
    SUBCASE("entries") {
      const auto read = reader->read(group_a, index_t{1}, index_t{3}, 1 << 20);
      REQUIRE(read.ok());
      CHECK(ids(*read) == "1@1 2@1 3@1");
    }
    SUBCASE("a small snapshot") {
      const auto read = reader->read_snapshot(group_a, index_t{2});
      REQUIRE(read.ok());
      CHECK(read->bytes.view() == "state");
    }
    CHECK_FALSE(dir.on_opened);
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
