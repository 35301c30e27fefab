#include "persistence/snapshot_catalog.hpp"
#include "tests/unit/persistence/snapshot_fixture.hpp"

using namespace caucus;
using namespace caucus::testing;
using namespace caucus::persistence;

namespace {

const auto older = header_at(5);
const auto newer = header_at(9, 0xa, 0x77);
const auto older_content = content_of(100, 5);
const auto newer_content = content_of(700, 9);

enum class way { made_here, received };

/// Makes the newer snapshot, or receives it in pieces.
result<void> add_newer(directory& dir, way how) {
  if (how == way::made_here) {
    if (auto made = try_write(dir, newer, newer_content); !made)
      return std::move(made).reason();
    return {};
  }
  return receive(dir, newer, newer_content, 111);
}

void put_older(memory_disk& disk) {
  auto dir = *disk.open();
  REQUIRE(try_write(*dir, older, older_content).ok());
}

/// The changing calls that adding the newer one makes, the first and the last.
std::pair<uint64_t, uint64_t> calls_of(way how) {
  memory_disk disk;
  put_older(disk);
  auto dir = *disk.open();
  const auto before = disk.call_count();
  REQUIRE(add_newer(*dir, how).ok());
  return {before + 1, disk.call_count()};
}

/// Starts on what a crash left, as a node would: the index of the snapshot that it then has.
uint64_t newest_after_start(const memory_disk& disk, directory& dir) {
  const auto catalog = *snapshot_catalog::read(dir);
  REQUIRE(remove_leftovers(dir, catalog).ok());
  auto found = open_newest(dir, catalog.of(older.group), snapshot_cluster);
  REQUIRE(found.ok());
  REQUIRE(found->damaged.empty()); // A name that is there is of a whole file.
  REQUIRE(found->reader);
  const auto index = found->reader->header().at.last.index.value();
  REQUIRE(*read_all(*found->reader) == (index == 5 ? older_content : newer_content));
  for (const auto& name : disk.names())
    REQUIRE_FALSE(is_unfinished_snapshot_name(name));
  return index;
}

} // namespace

TEST_SUITE("persistence/snapshot_crash") {

  TEST_CASE("a crash at any call leaves the older snapshot or both, never half of one (N-01)") {
    uint64_t lives = 0;
    for (const auto how : {way::made_here, way::received}) {
      const auto [first, last] = calls_of(how);
      for (auto call = first; call <= last + 1; ++call)
        for (uint64_t seed = 1; seed <= 20; ++seed, ++lives) {
          CAPTURE(call);
          CAPTURE(seed);
          memory_disk disk;
          put_older(disk);
          disk.stop_at(call);
          bool is_published = false;
          {
            auto dir = *disk.open();
            is_published = add_newer(*dir, how).ok();
          }
          disk.crash(rng::mix(call * 32 + seed));
          CHECK(is_published == (call > last));
          const auto dir = *disk.open();
          const auto newest = newest_after_start(disk, *dir);
          CHECK((newest == 9 || !is_published));
        }
    }
    CHECK(lives > 500);
  }

  TEST_CASE("without the sync the same crashes do leave half of one") {
    uint64_t damaged = 0;
    for (uint64_t seed = 1; seed <= 40; ++seed) {
      memory_disk disk;
      put_older(disk);
      disk.ignore_syncs(true);
      {
        auto dir = *disk.open();
        REQUIRE(add_newer(*dir, way::made_here).ok());
      }
      disk.crash(seed);
      auto dir = *disk.open();
      const auto catalog = *snapshot_catalog::read(*dir);
      damaged += open_newest(*dir, catalog.of(older.group), snapshot_cluster)->damaged.size();
    }
    CHECK(damaged > 5);
  }

  TEST_CASE("a full disk at any call removes the temporary and keeps the older one (E-06)") {
    for (const auto how : {way::made_here, way::received}) {
      const auto [first, last] = calls_of(how);
      for (auto failing = first; failing <= last; ++failing) {
        CAPTURE(failing);
        memory_disk disk;
        put_older(disk);
        auto dir = *disk.open();
        auto failed_kind = disk_call::kind::read;
        disk.on_call([&](const disk_call& call) -> std::optional<error> {
          if (call.number != failing)
            return std::nullopt;
          failed_kind = call.kind;
          return error{errc::no_space, "cannot write memory/" + std::string{call.name}};
        });
        const auto failed = add_newer(*dir, how);
        REQUIRE_FALSE(failed.ok());
        CHECK(failed.reason().code == errc::no_space);
        CHECK(says(failed.reason(), "memory/"));
        // Only after the last step, the directory's sync, the new name may be there.
        CHECK(disk.names().size() == (failed_kind == disk_call::kind::sync_names ? 2 : 1));
        CHECK(newest_after_start(disk, *dir)
              == (failed_kind == disk_call::kind::sync_names ? 9 : 5));
        // Later there is room again.
        CHECK(add_newer(*dir, how).ok());
        CHECK(disk.names().size() == 2);
      }
    }
  }

  TEST_CASE("after a failure nothing more is written, whoever goes on (E-02)") {
    memory_disk disk;
    auto dir = *disk.open();
    auto writer = *snapshot_writer::create(*dir, newer);
    bool fails = true;
    disk.on_call([&](const disk_call& call) -> std::optional<error> {
      if (call.kind != disk_call::kind::sync || !std::exchange(fails, false))
        return std::nullopt;
      return error{errc::io_failed, "cannot sync memory/" + std::string{call.name}};
    });
    REQUIRE(writer.write(newer_content).ok());
    const auto failed = writer.finish();
    REQUIRE_FALSE(failed.ok());
    CHECK(disk.names().empty());
    const auto calls = disk.call_count();
    CHECK(writer.write(newer_content).reason() == failed.reason());
    CHECK(writer.finish().reason() == failed.reason());
    CHECK(disk.call_count() == calls);
  }

  TEST_CASE("what fails on its way to the disk, before the sync, is a failure, too (E-02)") {
    for (const auto how : {way::made_here, way::received}) {
      memory_disk disk;
      auto dir = *disk.open();
      bool fails = true;
      disk.on_call([&](const disk_call& call) -> std::optional<error> {
        if (call.kind != disk_call::kind::await || !std::exchange(fails, false))
          return std::nullopt;
        return error{errc::io_failed, "cannot write out memory/" + std::string{call.name}};
      });
      auto header = newer;
      header.chunk_bytes = 256 << 10;
      const auto content = content_of(3 << 20);
      const auto add = [&]() -> result<void> {
        if (how == way::received)
          return receive(*dir, header, content, 100'000);
        const auto made = try_write(*dir, header, content, 100'000);
        return made ? result<void>{} : result<void>{made.reason()};
      };
      const auto failed = add();
      REQUIRE_FALSE(failed.ok());
      CHECK(says(failed.reason(), "cannot write out"));
      CHECK(disk.names().empty());
      CHECK(add().ok());
      CHECK(disk.names().size() == 1);
    }
  }

  TEST_CASE("one that is given up leaves nothing (N-04)") {
    memory_disk disk;
    auto dir = *disk.open();
    {
      auto writer = *snapshot_writer::create(*dir, newer);
      REQUIRE(writer.write(newer_content).ok());
      const auto file = encoded_snapshot(older, older_content);
      auto receiver = *snapshot_receiver::create(*dir, {older.identity(), file.size()});
      REQUIRE(receiver.take(0, std::span{file}.first(150)).ok());
      CHECK(disk.names().size() == 2);
      const auto moved = std::move(writer); // Removed once, by whoever has it.
    }
    CHECK(disk.names().empty());
  }

} // TEST_SUITE
