// Two syncs under way at once: what each of them promises, and when that may be said.

#include "tests/unit/persistence/wal_disks.hpp"

using namespace caucus;
using namespace caucus::testing;

namespace {

persistence::wal_sync begin(storage& node) {
  auto begun = node.log->begin_commit();
  REQUIRE(begun.ok());
  REQUIRE(begun->has_value());
  return **begun;
}

persistence::wal_sync begin(storage& node, const raft::persist_batch& batch) {
  node.log->add(group_a, batch);
  return begin(node);
}

storage start_with_group(memory_disk& disk) {
  auto node = start(disk);
  node.log->add(descriptor(group_a));
  node.put(group_a, entries(1, 1, 1));
  return node;
}

/// Of the batch at this place among those in the first segment.
uint64_t durable_upto_said_by(const memory_disk& disk, size_t batch) {
  const auto segment = disk.content(first_segment);
  const auto offset = batch_offsets(segment)[batch];
  return persistence::decode_batch_header(std::span{segment}.subspan(offset),
                                          {directory_id{0xd1}, 1, offset})
    ->durable_upto;
}

/// Fails the `failing`th sync from now on, once.
void fail_sync(memory_disk& disk, int failing) {
  disk.on_call([failing](const disk_call& call) mutable -> std::optional<error> {
    if (call.kind != disk_call::kind::sync || --failing != 0)
      return std::nullopt;
    return error{errc::io_failed, "cannot sync memory/" + std::string{call.name} + ": EIO"};
  });
}

} // namespace

TEST_SUITE("persistence/wal: two syncs under way") {

  TEST_CASE("a batch can be read once its sync has ended and those before, in their order") {
    memory_disk disk;
    auto node = start_with_group(disk);
    const auto first = begin(node, entries(2, 2, 1));
    const auto second = begin(node, entries(3, 3, 1));
    CHECK(node.log->syncs_under_way() == 2);
    const auto second_ended = second.run();
    CHECK(node.log_last(group_a) == 1); // Though it is on the disk.
    CHECK_THROWS_AS(static_cast<void>(node.log->end_commit(second, second_ended)),
                    invariant_violation);
    REQUIRE(node.log->end_commit(first, first.run()).ok());
    CHECK(node.log_last(group_a) == 2);
    REQUIRE(node.log->end_commit(second, second_ended).ok());
    CHECK(node.log_last(group_a) == 3);
    CHECK(ids(*node.log->reader()->read(group_a, index_t{1}, index_t{9}, 1 << 20))
          == "1@1 2@1 3@1");
  }

  TEST_CASE("a batch says of those before only that durable is what has ended") {
    memory_disk disk;
    auto node = start_with_group(disk); // Batches 1 (empty) and 2.
    const auto third = begin(node, entries(2, 2, 1));
    const auto fourth = begin(node, entries(3, 3, 1));
    REQUIRE(node.log->end_commit(third, third.run()).ok());
    const auto fifth = begin(node, entries(4, 4, 1));
    CHECK(durable_upto_said_by(disk, 2) == 2);
    CHECK(durable_upto_said_by(disk, 3) == 2);
    CHECK(durable_upto_said_by(disk, 4) == 3); // Not 4, though its bytes are written.
    REQUIRE(node.log->end_commit(fourth, fourth.run()).ok());
    REQUIRE(node.log->end_commit(fifth, fifth.run()).ok());
  }

  TEST_CASE("a torn batch ends the log though the next is whole, which never comes back (W-16)") {
    memory_disk disk;
    auto node = start_with_group(disk);
    begin(node, entries(2, 2, 1, std::string(3000, 'x')));
    begin(node, entries(3, 3, 1));
    node = {};
    disk.kill();
    auto segment = disk.content(first_segment);
    const auto offsets = batch_offsets(segment);
    REQUIRE(offsets.size() == 5);
    std::fill_n(segment.begin() + static_cast<ptrdiff_t>(offsets[2] + 1024), 512, std::byte{0});
    disk.put(first_segment, segment);
    node = start(disk);
    REQUIRE(node.found.warnings.size() == 1);
    CHECK(node.found.warnings.front().starts_with("torn tail"));
    CHECK(node.group_last(group_a) == 1);
    // As long as what was torn: the whole one follows it, if its bytes are there still.
    node.put(group_a, entries(2, 2, 2, std::string(2952, 'y')));
    node = restart(disk, std::move(node));
    CHECK(ids(node.group(group_a).tail) == "1@1 2@2");
    CHECK(node.found.warnings.empty());
  }

  TEST_CASE("the first sync's failure fences: the second's success acknowledges nothing (E-01)") {
    memory_disk disk;
    auto node = start_with_group(disk);
    const auto first = begin(node, entries(2, 2, 1));
    const auto second = begin(node, entries(3, 3, 1));
    fail_sync(disk, 1);
    const auto failed = node.log->end_commit(first, first.run());
    REQUIRE_FALSE(failed.ok());
    CHECK(failed.reason().code == errc::wal_io_failed);
    CHECK(mentions(failed.reason(), first_segment));
    CHECK(mentions(failed.reason(), "EIO"));
    CHECK(node.log->end_commit(second, second.run()).reason() == failed.reason());
    node.log->add(group_a, entries(4, 4, 1));
    CHECK(node.log->begin_commit().reason() == failed.reason());
    CHECK(node.log->commit(true).reason() == failed.reason());
    CHECK(node.log_last(group_a) == 1);
  }

  TEST_CASE("the second sync's failure takes nothing back from the first (E-01, E-02)") {
    memory_disk disk;
    auto node = start_with_group(disk);
    const auto first = begin(node, entries(2, 2, 1));
    const auto first_ended = first.run();
    const auto second = begin(node, entries(3, 3, 1));
    fail_sync(disk, 1);
    const auto second_ended = second.run();
    CHECK(node.log->end_commit(first, first_ended).ok());
    CHECK_FALSE(node.log->end_commit(second, second_ended).ok());
    CHECK(node.log->is_fenced());
    CHECK(node.log_last(group_a) == 2);
    node = {};
    disk.crash(1);
    CHECK(start(disk).group_last(group_a) == 2);
  }

  TEST_CASE("a batch that needs the next segment isn't begun: all stays staged") {
    memory_disk disk;
    auto node = start_with_group(disk);
    const auto first = begin(node, entries(2, 2, 1, std::string(40 << 10, 'x')));
    node.log->add(group_a, entries(3, 3, 1, std::string(40 << 10, 'x')));
    const auto refused = node.log->begin_commit();
    REQUIRE(refused.ok());
    CHECK_FALSE(refused->has_value());
    CHECK_THROWS_AS(static_cast<void>(node.log->commit(true)), invariant_violation);
    REQUIRE(node.log->end_commit(first, first.run()).ok());
    node.commit();
    node = restart(disk, std::move(node));
    CHECK(node.group_last(group_a) == 3);
  }

  TEST_CASE("without a descriptor for it a sync isn't begun, and the log goes on (E-08)") {
    memory_disk disk;
    auto node = start_with_group(disk);
    disk.on_call([](const disk_call& call) -> std::optional<error> {
      if (call.kind != disk_call::kind::open)
        return std::nullopt;
      return error{errc::no_space, "too many files are open"};
    });
    node.log->add(group_a, entries(2, 2, 1));
    const auto refused = node.log->begin_commit();
    REQUIRE(refused.ok());
    CHECK_FALSE(refused->has_value());
    node.commit();
    CHECK(node.log_last(group_a) == 2);
  }

  TEST_CASE("nothing is collected that a batch under way may change") {
    memory_disk disk;
    auto node = start_with_group(disk);
    const auto first = begin(node, entries(2, 2, 1));
    CHECK_THROWS_AS(node.log->carry({}), invariant_violation);
    CHECK_THROWS_AS(static_cast<void>(node.log->retire_oldest()), invariant_violation);
    REQUIRE(node.log->end_commit(first, first.run()).ok());
    CHECK(node.log->retire_oldest().ok());
  }

} // TEST_SUITE
