// What clients read of snapshots for their backups.

#include "actors/snapshot_readings.hpp"
#include "apps/sim/disk/memory_directory.hpp"
#include "caucus/messages.hpp"
#include "persistence/snapshot_catalog.hpp"
#include "persistence/snapshot_writer.hpp"

#include <doctest/doctest.h>

namespace caucus::testing {

namespace {

constexpr group_id group{0xa};

struct readings_fixture {
  memory_disk disk;
  std::unique_ptr<persistence::directory> dir = *disk.open();
  snapshot_store store{*dir, nullptr, cluster_id{0xc1}};
  snapshot_readings readings;
  uint64_t bytes_max = snapshot_read_bytes_max;

  persistence::kept_snapshot make(uint64_t index, size_t size = 300'000) {
    membership::configuration members;
    members.voters = {node_id{1}};
    const persistence::snapshot_header header{
      .cluster = cluster_id{0xc1},
      .group = group,
      .uid = persistence::snapshot_uid{index},
      .at = {{index_t{index}, term_t{1}},
             {{}, std::make_shared<const membership::configuration>(members)}}};
    auto writer = persistence::snapshot_writer::create(*dir, header);
    REQUIRE(writer.ok());
    REQUIRE(writer->write(std::vector<std::byte>(size, std::byte(index))).ok());
    REQUIRE(writer->finish().ok());
    return {.at = header.at};
  }
  void remove(const persistence::kept_snapshot& x) {
    const persistence::snapshot_name name{group, x.at.last};
    REQUIRE(persistence::remove_snapshots(*dir, {&name, 1}).ok());
  }
  std::vector<std::byte> content(const persistence::kept_snapshot& x) {
    return disk.content(persistence::file_name({group, x.at.last}));
  }
  result<shared_bytes> read(const persistence::kept_snapshot& x, uint64_t offset,
                            bool is_known = true) {
    return readings.read(store, {group, "named"}, x.at.last.index,
                         is_known ? std::optional{x} : std::nullopt, {offset, bytes_max},
                         persistence::snapshot_uid{1});
  }
};

} // namespace

TEST_CASE_FIXTURE(readings_fixture,
                  "the parts are those of the file, and none comes behind its end") {
  const auto made = make(5);
  const auto whole = content(made);
  std::vector<std::byte> got;
  for (;;) {
    auto part = read(made, got.size());
    REQUIRE(part.ok());
    CHECK(part->size() <= snapshot_read_bytes_max);
    if (part->empty())
      break;
    got.insert(got.end(), part->span().begin(), part->span().end());
  }
  CHECK(got == whole);
  auto beyond = read(made, whole.size() + 1);
  REQUIRE_FALSE(beyond.ok());
  CHECK(beyond.reason().code == errc::invalid_argument);
}

TEST_CASE_FIXTURE(readings_fixture, "a part is no longer than it may be") {
  const auto made = make(5);
  bytes_max = 1000;
  CHECK(read(made, 0)->size() == 1000);
  bytes_max = snapshot_read_bytes_max + 1;
  CHECK(read(made, 0)->size() == snapshot_read_bytes_max);
}

TEST_CASE_FIXTURE(readings_fixture, "what is being read is read to its end, also once it is gone") {
  const auto made = make(5);
  const auto whole = content(made);
  REQUIRE(read(made, 0).ok());
  remove(made);
  auto rest = read(made, snapshot_read_bytes_max, false);
  REQUIRE(rest.ok());
  CHECK(rest->size() == whole.size() - snapshot_read_bytes_max);
  REQUIRE(read(made, whole.size(), false).ok()); // Its end: closed.
  CHECK(read(made, 0, false).reason().code == errc::not_found);
}

TEST_CASE_FIXTURE(readings_fixture, "who goes away holds nothing for ever") {
  const auto made = make(5);
  REQUIRE(read(made, 0).ok());
  remove(made);
  CHECK(readings.close_unread()); // It was read since the last time.
  CHECK(read(made, 0, false).ok());
  CHECK(readings.close_unread());
  CHECK_FALSE(readings.close_unread());
  CHECK(read(made, 0, false).reason().code == errc::not_found);
}

TEST_CASE_FIXTURE(readings_fixture, "of too many the one goes that was read longest ago") {
  std::vector<persistence::kept_snapshot> made;
  for (uint64_t i = 0; i <= snapshot_readings::readings_max; ++i)
    made.push_back(make(5 + i));
  for (size_t i = 0; i < snapshot_readings::readings_max; ++i)
    REQUIRE(read(made[i], 0).ok());
  REQUIRE(read(made[0], 0).ok());
  REQUIRE(read(made.back(), 0).ok());
  CHECK(read(made[0], 0, false).ok());
  CHECK(read(made[1], 0, false).reason().code == errc::not_found);
  CHECK(read(made[2], 0, false).ok());
}

} // namespace caucus::testing
