#include "base/assert.hpp"
#include "persistence/leading_snapshot.hpp"
#include "raft/recovered_state.hpp"
#include "tests/unit/persistence/mark_fixture.hpp"

using namespace caucus;
using namespace caucus::testing;
using persistence::recovered_group;

namespace {

std::vector<uint64_t> kept_of(const recovered_group& group) {
  std::vector<uint64_t> list;
  for (const auto& x : group.snapshots)
    list.push_back(x.at.last.index.value());
  return list;
}

storage with_entries(memory_disk& disk, uint64_t last) {
  auto node = start(disk);
  node.log->add(descriptor(group_a));
  node.log->add(group_a, hard(1, 1, last));
  node.put(group_a, entries(1, last, 1));
  return node;
}

} // namespace

TEST_SUITE("persistence/wal_snapshots") {

  TEST_CASE("a mark comes back with boundary, wall time and members, and cuts the log") {
    memory_disk disk;
    auto node = with_entries(disk, 10);
    node.log->add(group_a, mark(boundary(6, 1, {4, 5}), boundary(4, 1, {7})));
    node.commit();
    const auto check = [&](const recovered_group& group) {
      CHECK(group.begins_after.last == raft::entry_id{index_t{4}, term_t{1}});
      CHECK(group.begins_after.members.id == index_t{2});
      CHECK(group.members().voters == std::set{node_id{7}});
      CHECK(group.descriptor == descriptor(group_a)); // What the group began with.
      CHECK(group.runs == std::vector<raft::term_run>{{index_t{5}, term_t{1}}});
      CHECK(group.last == index_t{10});
      CHECK(ids(group.tail) == "5@1 6@1 7@1 8@1 9@1 10@1");
      REQUIRE(kept_of(group) == std::vector<uint64_t>{6});
      CHECK(group.snapshots[0].wall_ns == 6001);
      CHECK(group.snapshots[0].at.members.members->voters == std::set{node_id{4}, node_id{5}});
      CHECK_FALSE(group.snapshots[0].is_small);
      CHECK_FALSE(group.damaged);
    };
    for (int boot = 0; boot < 3; ++boot) {
      node = restart(disk, std::move(node));
      check(node.group(group_a));
    }
    node.put(group_a, entries(11, 12, 2));
    node = restart(disk, std::move(node));
    CHECK(ids(node.group(group_a).tail).ends_with("10@1 11@2 12@2"));
  }

  TEST_CASE("a small snapshot comes back with its bytes, and no larger one is taken") {
    memory_disk disk;
    auto node = with_entries(disk, 10);
    const std::string large(persistence::small_snapshot_bytes_max, 'x');
    for (const auto& content : {std::string{"state"}, std::string{}, large}) {
      node = restart(disk, std::move(node));
      auto small = small_mark(boundary(node.group_last(group_a), 1), content);
      node.log->add(group_a, small);
      node.commit();
      node = restart(disk, std::move(node));
      REQUIRE_FALSE(node.group(group_a).snapshots.empty());
      const auto& found = node.group(group_a).snapshots.front();
      CHECK(found.is_small);
      CHECK(found.bytes.view() == content);
      const auto next = node.group_last(group_a) + 1;
      node.put(group_a, entries(next, next, 1));
    }
    auto too_large = small_mark(boundary(10, 1), large + "x");
    CHECK_THROWS_AS(node.log->add(group_a, too_large), invariant_violation);
  }

  TEST_CASE("two are known, the newest first, and an older one that comes late is no news (N-09)") {
    memory_disk disk;
    auto node = with_entries(disk, 20);
    for (const uint64_t index : {5, 15, 10})
      node.log->add(group_a, mark(boundary(index, 1)));
    node.commit();
    node = restart(disk, std::move(node));
    CHECK(kept_of(node.group(group_a)) == std::vector<uint64_t>{15, 10});
    const auto staged = node.log->staged_bytes();
    node.log->add(group_a, mark(boundary(5, 1)));
    node.log->add(group_a, mark(boundary(15, 1)));
    CHECK(node.log->staged_bytes() == staged);
    node.log->add(group_a, mark(boundary(18, 1), boundary(15, 1)));
    node.log->add(group_a, mark(boundary(12, 1)));
    node.commit();
    node = restart(disk, std::move(node));
    CHECK(kept_of(node.group(group_a)) == std::vector<uint64_t>{18, 15});
  }

  TEST_CASE("readers and the index forget what is before the log's begin") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(descriptor(group_a));
    for (uint64_t term = 1; term <= 50; ++term)
      node.put(group_a, entries(term * 10 - 9, term * 10, term, std::string(2000, 'x')));
    node.log->add(group_a, mark(boundary(495, 50), boundary(495, 50)));
    node.commit();
    for (int boot = 0; boot < 2; ++boot) {
      auto reader = node.log->reader();
      CHECK(reader->read(group_a, index_t{495}, index_t{500}, 1 << 20).reason().code
            == errc::not_found);
      CHECK(reader->read(group_a, index_t{496}, index_t{500}, 1 << 20)->size() == 5);
      const auto log = reader->index().describe(group_a);
      CHECK(log->rows <= 2);
      CHECK(log->runs.size() == 1);
      node = restart(disk, std::move(node));
    }
  }

  TEST_CASE("after an installed snapshot the log begins anew (N-08, S-59)") {
    memory_disk disk;
    auto node = with_entries(disk, 10);
    node.log->add(group_a, mark(boundary(100, 3, {2})));
    SUBCASE("a crash in between leaves the old log, which is whole (N-02)") {
      node.commit();
      node = restart(disk, std::move(node));
      CHECK(kept_of(node.group(group_a)) == std::vector<uint64_t>{100});
      CHECK(node.group(group_a).last == index_t{10});
    }
    SUBCASE("in one batch") {}
    raft::persist_batch batch = hard(3, 0, 100);
    batch.snapshot = raft::entry_id{index_t{100}, term_t{3}};
    batch.entries = {make_entry(101, 3), make_entry(102, 4)};
    node.put(group_a, batch);
    for (int boot = 0; boot < 2; ++boot) {
      node = restart(disk, std::move(node));
      const auto& group = node.group(group_a);
      REQUIRE_FALSE(group.damaged);
      CHECK(group.begins_after.last == *batch.snapshot);
      CHECK(group.members().voters == std::set{node_id{2}});
      CHECK(ids(group.tail) == "101@3 102@4");
      CHECK(group.hard.commit == index_t{100});
      CHECK(group.runs
            == std::vector<raft::term_run>{{index_t{101}, term_t{3}}, {index_t{102}, term_t{4}}});
      CHECK_FALSE(node.log->reader()->read(group_a, index_t{10}, index_t{10}, 1 << 20).ok());
    }
  }

  TEST_CASE("an empty log after a snapshot ends there") {
    memory_disk disk;
    auto node = with_entries(disk, 3);
    node.log->add(group_a, mark(boundary(8, 2)));
    raft::persist_batch batch;
    batch.snapshot = raft::entry_id{index_t{8}, term_t{2}};
    node.put(group_a, batch);
    node = restart(disk, std::move(node));
    CHECK(node.group(group_a).last == index_t{8});
    CHECK(node.group(group_a).runs.empty());
    CHECK(node.group(group_a).tail.empty());
    CHECK(node.group(group_a).hard.commit == index_t{8});
    CHECK_THROWS_AS(node.log->add(group_a, entries(10, 10, 2)), invariant_violation);
    node.put(group_a, entries(9, 9, 2));
  }

  TEST_CASE("what would lead into a gap is refused and stages nothing (S-41, S-55)") {
    memory_disk disk;
    auto node = with_entries(disk, 10);
    raft::persist_batch batch;
    batch.snapshot = raft::entry_id{index_t{8}, term_t{2}};
    CHECK_THROWS_AS(node.log->add(group_a, batch), invariant_violation); // Nobody marked it.
    CHECK_THROWS_AS(node.log->add(group_a, mark(boundary(20, 1), boundary(11, 1))),
                    invariant_violation); // The log doesn't reach to its own begin.
    CHECK_THROWS_AS(node.log->add(group_a, mark(boundary(5, 1), boundary(6, 1))),
                    invariant_violation);
    node.log->add(group_a, mark(boundary(5, 1), boundary(5, 1)));
    node.commit();
    raft::persist_batch cut;
    cut.truncate_from = index_t{5};
    CHECK_THROWS_AS(node.log->add(group_a, cut), invariant_violation);
    CHECK_THROWS_AS(node.log->add(group_a, entries(5, 6, 1)), invariant_violation);
    CHECK(node.log->staged_bytes() == 0);
  }

  TEST_CASE("a snapshot leads to the log that has its last entry, or begins after it") {
    memory_disk disk;
    auto node = with_entries(disk, 10);
    node.put(group_a, entries(11, 20, 3));
    const auto leads = [](const recovered_group& group, uint64_t index, uint64_t term) {
      return persistence::leads_to_log(group, {index_t{index}, term_t{term}});
    };
    for (const uint64_t begin : {0, 4, 10, 20}) {
      CAPTURE(begin);
      const uint64_t term_there = begin == 0 ? 0 : begin <= 10 ? 1 : 3;
      if (begin != 0) {
        node.log->add(group_a, mark(boundary(begin, term_there), boundary(begin, term_there)));
        node.commit();
      }
      node = restart(disk, std::move(node));
      const auto& group = node.group(group_a);
      for (uint64_t index = 0; index <= 22; ++index)
        for (uint64_t term = 0; term <= 4; ++term) {
          const bool has = index >= begin && index <= 20
                           && term
                                == (index == 0    ? 0u
                                    : index <= 10 ? 1u
                                                  : 3u);
          CHECK(leads(group, index, term) == has);
        }
    }
  }

  TEST_CASE("M-08 configurations before the log's begin are in the snapshot's members") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(descriptor(group_a));
    raft::persist_batch batch;
    batch.entries = {make_entry(1, 1), configuration_entry(2, 1, {1, 2}),
                     configuration_entry(3, 1, {1, 2, 3}), configuration_entry(4, 1, {9})};
    node.put(group_a, batch);
    node.log->add(group_a, mark(boundary(3, 1, {1, 2, 3}), boundary(3, 1, {1, 2, 3})));
    node.commit();
    node = restart(disk, std::move(node));
    REQUIRE(node.group(group_a).configurations.size() == 1);
    CHECK(node.group(group_a).configurations[0].id == index_t{4});
    CHECK(node.group(group_a).members().voters == std::set{node_id{1}, node_id{2}, node_id{3}});
  }

} // TEST_SUITE
