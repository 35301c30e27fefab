#include "persistence/segment_collector.hpp"
#include "persistence/segment_header.hpp"
#include "tests/unit/persistence/recycle_fixture.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>
#include <utility>

using namespace caucus;
using namespace caucus::testing;
using namespace caucus::persistence;

TEST_SUITE("persistence/wal_collect") {

  TEST_CASE("segments that nothing needs go, the oldest first, and the next start knows") {
    memory_disk disk;
    auto node = start_with(disk, {group_a});
    grow(node, group_a, 1, 200);
    const auto before = disk.names().size();
    REQUIRE(before > 5);
    node.log->add(group_a, mark(boundary(190, 1), boundary(190, 1)));
    node.commit();
    CHECK(collect(node) > 0);
    CHECK(segments_of(disk).size() <= 2);
    CHECK(disk.names().front() != first_segment);
    for (int boot = 0; boot < 3; ++boot) {
      node = restart(disk, std::move(node), tiny_segments());
      const auto& group = node.group(group_a);
      REQUIRE_FALSE(group.damaged);
      CHECK(group.descriptor == descriptor(group_a));
      CHECK(group.last == index_t{200});
      CHECK(group.tail.size() == 10);
      CHECK(collect(node) == 0);
    }
  }

  TEST_CASE(
    "what a cold group has is carried: entries, vote, members, snapshots, tombstones, peers") {
    memory_disk disk;
    auto node = start(disk, tiny_segments());
    node.log->add(peer_identity{node_id{2}, directory_id{22}});
    node.log->add(descriptor(group_a));
    node.log->add(group_a, hard(3, 2, 1));
    raft::persist_batch cold;
    cold.entries = {make_entry(1, 1), configuration_entry(2, 1, {1, 9}), make_entry(3, 3),
                    make_entry(4, 3)};
    node.put(group_a, cold);
    node.log->add(group_a, small_mark(boundary(1, 1), "small"));
    node.log->add(group_a, mark(boundary(3, 3), boundary(1, 1, {7})));
    node.log->add(descriptor(group_id{0xdead}, 9));
    node.log->add_deleted(group_id{0xdead});
    node.commit();
    node.log->add(descriptor(group_b, 8));
    for (int round = 1; round <= 4; ++round) {
      grow(node, group_b, node.log_last(group_b) + 1, node.log_last(group_b) + 60);
      const auto last = node.log_last(group_b);
      node.log->add(group_b, mark(boundary(last, 1), boundary(last, 1)));
      node.commit();
      CHECK(collect(node) > 0);
      const auto reader = node.log->reader();
      const auto read = reader->read(group_a, index_t{2}, index_t{4}, 1 << 20);
      REQUIRE(read.ok());
      CHECK(ids(*read) == "2@1 3@3 4@3");
      CHECK(reader->read_snapshot(group_a, index_t{1})->bytes.view() == "small");
      node = restart(disk, std::move(node), tiny_segments());
      const auto& group = node.group(group_a);
      REQUIRE_FALSE(group.damaged);
      CHECK(group.descriptor == descriptor(group_a));
      CHECK(group.hard == raft::hard_state{term_t{3}, node_id{2}, index_t{1}});
      CHECK(ids(group.tail) == "2@1 3@3 4@3");
      CHECK(is_same(*group.tail[1], *make_entry(3, 3)));
      CHECK(group.members().voters == std::set{node_id{7}});
      REQUIRE(group.configurations.size() == 1);
      CHECK(group.configurations[0].members->voters == std::set{node_id{1}, node_id{9}});
      REQUIRE(group.snapshots.size() == 2);
      CHECK(group.snapshots[1].bytes.view() == "small");
      CHECK(node.found.peers == std::vector{peer_identity{node_id{2}, directory_id{22}}});
      REQUIRE(node.found.tombstones.size() == 1);
      CHECK(node.found.tombstones[0].name == "group-57005");
    }
  }

  TEST_CASE("a follower whose log goes on is carried, whatever it truncates meanwhile") {
    memory_disk disk;
    auto node = start_with(disk, {group_a, group_b});
    grow(node, group_a, 1, 40);
    grow(node, group_b, 1, 100);
    node.log->add(group_b, mark(boundary(100, 1), boundary(100, 1)));
    raft::persist_batch conflict = entries(21, 22, 2);
    conflict.truncate_from = index_t{21};
    node.put(group_a, conflict);
    collect(node);
    conflict = entries(11, 12, 3);
    conflict.truncate_from = index_t{11};
    node.put(group_a, conflict);
    node = restart(disk, std::move(node), tiny_segments());
    CHECK(node.found.groups.front().last == index_t{12});
    CHECK(ids(node.group(group_a).tail).ends_with("10@1 11@3 12@3"));
    CHECK(ids(*node.log->reader()->read(group_a, index_t{9}, index_t{12}, 1 << 20))
          == "9@1 10@1 11@3 12@3");
  }

  TEST_CASE("usage says what is live where, and which cold groups hold the oldest segment") {
    memory_disk disk;
    auto node = start_with(disk, {group_a, group_b});
    grow(node, group_a, 1, 3);
    grow(node, group_b, 1, 300);
    auto usage = node.log->usage();
    CHECK(usage.file_bytes() == disk.names().size() * tiny_segments().segment_bytes);
    CHECK(usage.live_bytes() > 300 * 500);
    CHECK(usage.live_bytes() < usage.file_bytes());
    CHECK_FALSE(usage.wants_collection(tiny_segments().segment_bytes));
    node.log->add(group_b, mark(boundary(300, 1), boundary(300, 1)));
    node.commit();
    usage = node.log->usage();
    CHECK(usage.wants_collection(tiny_segments().segment_bytes));
    const auto holders = node.log->holders_of_oldest();
    REQUIRE(holders.size() == 1); // Group b has gone on.
    CHECK(holders[0].group == group_a);
    CHECK(holders[0].last == index_t{3});
    CHECK(holders[0].bytes > 3 * 500);
    // A snapshot of the cold group sets the segment free without anything being copied.
    node.log->add(group_a, mark(boundary(3, 1), boundary(3, 1)));
    node.commit();
    CHECK(node.log->holders_of_oldest().empty());
  }

  TEST_CASE("while a damaged group is there nothing is collected") {
    memory_disk disk;
    auto node = start_with(disk, {group_a, group_b});
    grow(node, group_a, 1, 60);
    grow(node, group_b, 1, 60);
    node.log->add(group_a, mark(boundary(60, 1), boundary(60, 1)));
    node.log->add(group_b, mark(boundary(60, 1), boundary(60, 1)));
    node.commit();
    node = {};
    disk.kill();
    flip_all(disk, group_a, record_kind::entries);
    node = start(disk, tiny_segments());
    REQUIRE(node.group(group_a).damaged);
    const auto names = disk.names();
    CHECK(collect(node) == 0);
    CHECK(disk.names() == names);
    CHECK(node.log->usage().pinned_by == std::vector{group_a});
    node.log->add_deleted(group_a);
    node.commit();
    CHECK(collect(node) > 0);
  }

  TEST_CASE("a name that is left over does no harm and goes at the next chance") {
    memory_disk disk;
    auto node = start_with(disk, {group_a});
    grow(node, group_a, 1, 100);
    std::map<std::string, std::vector<std::byte>> files;
    for (const auto& name : disk.names())
      files[name] = disk.content(name);
    node.log->add(group_a, mark(boundary(100, 1), boundary(100, 1)));
    node.commit();
    REQUIRE(collect(node) > 0);
    const auto leftover = segment_name(node.log->oldest_segment() - 1);
    SUBCASE("read, if only a record says that it isn't needed") {
      node = {};
      disk.kill();
      disk.put(leftover, files[leftover]);
      node = start(disk, tiny_segments());
      segment_collector collector{node.log->reader()};
      CHECK(*collect_step(*node.log, collector, 1 << 20) != collected::nothing);
    }
    SUBCASE("ignored, if a newer segment's header says so") {
      grow(node, group_a, 101, 150);
      node = {};
      disk.kill();
      disk.put(leftover, {});
      node = start(disk, tiny_segments());
    }
    const auto names = disk.names();
    CHECK(std::find(names.begin(), names.end(), leftover) == names.end());
    CHECK_FALSE(node.group(group_a).damaged);
    CHECK(node.group(group_a).begins_after.last.index == index_t{100});
  }

  TEST_CASE("a segment that is still needed and missing is refused by name (W-10)") {
    memory_disk disk;
    auto node = start_with(disk, {group_a});
    grow(node, group_a, 1, 200);
    node.log->add(group_a, mark(boundary(150, 1), boundary(150, 1)));
    node.commit();
    REQUIRE(collect(node) > 0);
    while (*node.log->retire_oldest() != wal::retirement::nothing) // Others that hold nothing.
      node.commit();
    const auto oldest = segment_name(node.log->oldest_segment());
    node = {};
    disk.kill();
    disk.erase(oldest);
    const auto refused = try_start(disk, tiny_segments());
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.reason().code == errc::wal_corrupt);
    CHECK(refused.reason().what.find(oldest + " is missing") != std::string::npos);
  }

  TEST_CASE("no segment goes before it is durable that nothing in it is needed (W-07, W-10)") {
    memory_disk disk;
    auto node = start_with(disk, {group_a});
    grow(node, group_a, 1, 100);
    const auto names = disk.names();
    const auto segments = segments_of(disk).size();
    node.log->add(group_a, mark(boundary(100, 1), boundary(100, 1)));
    CHECK(*node.log->retire_oldest() == wal::retirement::nothing); // Its own creation is there.
    while (node.log->carry_metadata(1)) {
    }
    node.commit(false);
    CHECK(*node.log->retire_oldest() == wal::retirement::waiting);
    CHECK(*node.log->retire_oldest() == wal::retirement::waiting); // Not even written.
    node.commit(false);
    CHECK(*node.log->retire_oldest() == wal::retirement::waiting); // Not synced.
    CHECK(disk.names() == names);
    node.commit(true);
    for (uint64_t gone = 1; gone < 3; ++gone) { // One a step.
      CHECK(*node.log->retire_oldest() == wal::retirement::removed);
      CHECK(segments_of(disk).size() == segments - gone);
    }
    SUBCASE("and if its name can't be removed, it is tried again") {
      bool fails = true;
      disk.on_call([&](const disk_call& call) -> std::optional<error> {
        if (call.kind != disk_call::kind::remove || !std::exchange(fails, false))
          return std::nullopt;
        return error{errc::io_failed, "injected"};
      });
      CHECK_FALSE(node.log->retire_oldest().ok());
      CHECK(*node.log->retire_oldest() == wal::retirement::removed);
    }
    SUBCASE("and if the removal can't be made durable, the log is fenced: a gap might be left") {
      disk.on_call([&](const disk_call& call) -> std::optional<error> {
        if (call.kind != disk_call::kind::sync_names)
          return std::nullopt;
        return error{errc::io_failed, "injected"};
      });
      CHECK_FALSE(node.log->retire_oldest().ok());
      disk.on_call({});
      CHECK_FALSE(node.log->retire_oldest().ok());
      CHECK_FALSE(node.log->commit(true).ok());
    }
  }

  TEST_CASE("a damaged checkpoint or moved entry is told, and the group set apart if it is known") {
    memory_disk disk;
    auto node = start_with(disk, {group_a});
    node.put(group_a, entries(1, 3, 1));
    node.log->add(descriptor(group_b, 8));
    for (int round = 0; round < 2; ++round) {
      const auto last = node.log_last(group_b);
      grow(node, group_b, last + 1, last + 100);
      node.log->add(group_b, mark(boundary(last + 100, 1), boundary(last + 100, 1)));
      node.commit();
      collect(node);
    }
    const auto last = node.log_last(group_b);
    grow(node, group_b, last + 1, last + 3); // Proves what is before.
    node = {};
    disk.kill();
    auto kind = record_kind::moved;
    SUBCASE("moved") {}
    SUBCASE("checkpoint") { kind = record_kind::checkpoint; }
    flip_all(disk, group_a, kind);
    const auto started = try_start(disk, tiny_segments());
    if (kind == record_kind::checkpoint) {
      REQUIRE_FALSE(started.ok());
      CHECK(started.reason().code == errc::wal_corrupt);
      const auto& what = started.reason().what;
      CHECK(what.find("no record says what group 10 is") != std::string::npos);
      CHECK(what.find("from wal-") != std::string::npos); // Where to look.
    } else {
      REQUIRE(started.ok());
      REQUIRE(started->group(group_a).damaged);
      CHECK(started->group(group_a).descriptor == descriptor(group_a));
      CHECK_FALSE(started->group(group_b).damaged);
    }
  }

  TEST_CASE(
    "a reader that found its entries just before their segment went finds them again (W-20)") {
    memory_disk disk;
    auto node = start_with(disk, {group_a, group_b});
    grow(node, group_a, 1, 40);
    grow(node, group_b, 1, 40);
    node.log->add(group_b, mark(boundary(40, 1), boundary(40, 1)));
    node.commit();
    const auto reader = node.log->reader();
    std::atomic<bool> stops{false};
    std::string failure;
    std::atomic<uint64_t> reads{0};
    std::thread other{[&] {
      while (!stops) {
        const auto read = reader->read(group_a, index_t{1}, index_t{40}, 1 << 20);
        ++reads;
        if (!read.ok())
          failure = to_string(read.reason());
        else if (read->size() != 40)
          failure = std::to_string(read->size());
      }
    }};
    for (int round = 0; round < 30 || reads < 20; ++round) { // Also where the other gets no core.
      const auto last = node.log_last(group_b);
      grow(node, group_b, last + 1, last + 40);
      node.log->add(group_b, mark(boundary(last + 40, 1), boundary(last + 40, 1)));
      node.commit();
      collect(node);
    }
    stops = true;
    other.join();
    CHECK(failure == "");
    CHECK(reads >= 20);
    CHECK(node.log->oldest_segment() > 30);
  }

} // TEST_SUITE
