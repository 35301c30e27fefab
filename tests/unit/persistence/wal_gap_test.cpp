#include "persistence/batch_buffer.hpp"
#include "persistence/group_records.hpp"
#include "tests/unit/persistence/mark_fixture.hpp"
#include "tests/unit/persistence/wal_disks.hpp"

#include <algorithm>

using namespace caucus;
using namespace caucus::testing;
using namespace caucus::persistence;

namespace {

/// A log of one group with entries 1 to 5 of term 1 and behind them, each sound, what `add` says.
result<storage> start_with(memory_disk& disk, const std::function<void(batch_buffer&)>& add) {
  auto node = start(disk);
  node.log->add(descriptor(group_a));
  node.put(group_a, entries(1, 5, 1));
  node = {};
  disk.kill();
  auto content = disk.content(first_segment);
  const auto end = batch_offsets(content).back();
  batch_buffer crafted;
  add(crafted);
  batch_header header;
  header.number = 3;
  header.epoch = boot_count{1};
  const auto written = crafted.seal(header, {directory_id{0xd1}, 1, end});
  std::copy(written.begin(), written.end(), content.begin() + static_cast<ptrdiff_t>(end));
  disk.put(first_segment, content);
  return try_start(disk, small_options());
}

std::string damage_of(const std::function<void(batch_buffer&)>& add) {
  memory_disk disk;
  const auto started = start_with(disk, add);
  REQUIRE(started.ok());
  const auto& group = started->group(group_a);
  CHECK(started->log->usage().pinned_by.size() == (group.damaged ? 1 : 0));
  return group.damaged ? group.damaged->what : "";
}

void add_checkpoint(batch_buffer& into, const group_checkpoint& x) {
  into.add(record_kind::checkpoint, group_a, replica_uid{7}, encode_body(x));
}

void add_moved(batch_buffer& into, const raft::persist_batch& x) {
  into.add_entries(group_a, replica_uid{7}, x.entries, record_kind::moved);
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_SUITE("persistence/wal_gap") {

  TEST_CASE("a checkpoint that fits is no damage, and says all but the entries") {
    memory_disk disk;
    group_checkpoint now{descriptor(group_a),
                         {term_t{4}, node_id{2}, index_t{3}},
                         index_t{5},
                         boundary(2, 1, {8}),
                         {}};
    now.snapshots.push_back(mark(boundary(4, 1)).snapshot);
    auto started = start_with(disk, [&](auto& into) { add_checkpoint(into, now); });
    REQUIRE(started.ok());
    const auto& group = started->group(group_a);
    REQUIRE_FALSE(group.damaged);
    CHECK(group.hard == now.hard);
    CHECK(group.members().voters == std::set{node_id{8}});
    CHECK(ids(group.tail) == "3@1 4@1 5@1");
    CHECK(group.snapshots.size() == 1);
  }

  TEST_CASE("N-02 S-55 a log that begins where no snapshot leads is damaged") {
    group_checkpoint now{descriptor(group_a), {}, index_t{5}, boundary(2, 1), {}};
    CHECK(has(damage_of([&](auto& into) { add_checkpoint(into, now); }),
              "begins after entry 2 of term 1, where no snapshot leads"));
    now.snapshots.push_back(small_mark(boundary(3, 1), "").snapshot); // Its bytes are nowhere.
    CHECK(has(damage_of([&](auto& into) { add_checkpoint(into, now); }),
              "its snapshot up to entry 3 of term 1 should be in the log and isn't"));
  }

  TEST_CASE("W-10 a log that should be longer, or shorter, is damaged") {
    group_checkpoint now{descriptor(group_a), {}, index_t{8}, {}, {}};
    CHECK(has(damage_of([&](auto& into) { add_checkpoint(into, now); }),
              "'group-10': its log has no entry 6 (it should go from 1 to 8)"));
    now.last = index_t{4};
    CHECK(has(damage_of([&](auto& into) { add_checkpoint(into, now); }),
              "it says that the log ends at entry 4, but there is 5"));
  }

  TEST_CASE("moved entries bring nothing back and go nowhere else") {
    CHECK(damage_of([&](auto& into) { add_moved(into, entries(2, 4, 1)); }) == "");
    CHECK(has(damage_of([&](auto& into) { add_moved(into, entries(2, 4, 2)); }),
              "its entries 2 to 4 aren't those that the log has there"));
    CHECK(has(damage_of([&](auto& into) { add_moved(into, entries(5, 6, 1)); }),
              "its entries 5 to 6 aren't those that the log has there"));
    CHECK(damage_of([&](auto& into) {
            into.add(record_kind::truncation, group_a, replica_uid{7}, {uint64_t{3}});
            add_moved(into, entries(1, 2, 1));
            into.add_entries(group_a, replica_uid{7}, entries(3, 4, 2).entries);
          })
          == "");
  }

  TEST_CASE("a snapshot can't cut off what the log has otherwise, or not yet") {
    const auto add_mark = [](auto& into, const snapshot_mark& x) {
      into.add(record_kind::snapshot_mark, group_a, replica_uid{7},
               encode_body(snapshot_record{.mark = x}));
    };
    CHECK(damage_of([&](auto& into) { add_mark(into, mark(boundary(5, 1), boundary(5, 1))); })
          == "");
    CHECK(has(damage_of([&](auto& into) { add_mark(into, mark(boundary(5, 1), boundary(3, 2))); }),
              "begins after entry 3 of term 2, but there is 3 of term 1"));
    CHECK(has(damage_of([&](auto& into) { add_mark(into, mark(boundary(9, 1), boundary(7, 1))); }),
              "begins after entry 7 of term 1, but there is 5 of term 1"));
  }

} // TEST_SUITE
