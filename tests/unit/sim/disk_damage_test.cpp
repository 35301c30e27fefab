#include "apps/sim/disk/memory_directory.hpp"
#include "apps/sim/disk_damage.hpp"
#include "apps/sim/run.hpp"
#include "persistence/batch_header.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace caucus;
using namespace caucus::sim;
using persistence::batch_header;
using testing::disk_call;
using testing::memory_disk;

namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void write(persistence::file& file, uint64_t offset, std::string_view text) {
  REQUIRE(file.write_at(offset, bytes_of(text)).ok());
  REQUIRE(file.sync().ok());
}

/// A disk with one file that is durable.
memory_disk disk_with(std::string_view text) {
  memory_disk disk;
  disk.put("wal-1", {bytes_of(text).begin(), bytes_of(text).end()});
  return disk;
}

/// An empty batch as the log writes it; `sectors` long.
std::vector<std::byte> batch(uint64_t number, uint64_t durable_upto, size_t sectors = 1) {
  batch_header header;
  header.number = number;
  header.durable_upto = durable_upto;
  header.bytes = static_cast<uint32_t>(512 * sectors);
  std::vector<std::byte> out(header.bytes);
  encode(header, {}, std::span{out}.first(persistence::batch_header_bytes));
  return out;
}

/// Batches 1 to 4, a sector each, each written when those before were durable.
disk_damage four_batches() {
  disk_damage x;
  for (uint64_t i = 1; i <= 4; ++i)
    x.note_write("wal-1", i * 512, batch(i, i - 1));
  return x;
}

} // namespace

TEST_SUITE("sim/damage") {
  TEST_CASE("E-09 a turned bit is seen at once, and hidden by what the cache has newer") {
    auto disk = disk_with("abc");
    disk.rot("wal-1", 1, 0);
    CHECK(text_of(disk.content("wal-1")) == "acc");
    auto directory = *disk.open();
    auto file = *directory->open("wal-1");
    REQUIRE(file->write_at(0, bytes_of("ABC")).ok());
    disk.rot("wal-1", 1, 1);
    CHECK(text_of(disk.content("wal-1")) == "ABC");
    const std::vector<uint32_t> nothing_new(disk.crash_choices().size(), 0);
    CHECK(text_of(disk.after_crash(nothing_new).content("wal-1")) == "aac");
  }

  TEST_CASE("E-14 a lost write is durable for who syncs it, until the power fails") {
    auto disk = disk_with("abc");
    disk.on_write([](const disk_call&) { return testing::write_fate{.is_lost = true}; });
    auto directory = *disk.open();
    auto file = *directory->open("wal-1");
    write(*file, 0, "xyz");
    CHECK(text_of(disk.content("wal-1")) == "xyz");
    disk.crash(1);
    CHECK(text_of(disk.content("wal-1")) == "abc");
  }

  TEST_CASE("E-13 a misdirected write lands somewhere else as well") {
    auto disk = disk_with("abc");
    disk.put("wal-2", std::vector<std::byte>(1024));
    disk.on_write([](const disk_call& x) {
      return testing::write_fate{.also_in = x.name == "wal-1" ? "wal-2" : "", .at_sector = 1};
    });
    auto directory = *disk.open();
    auto file = *directory->open("wal-1");
    write(*file, 0, "xyz");
    CHECK(text_of(disk.content("wal-1")) == "xyz");
    CHECK(text_of(disk.content("wal-2")).substr(512, 3) == "xyz");
  }

  TEST_CASE("E-17 a file or all of them are again as they were when last synced") {
    auto disk = disk_with("abc");
    const auto image = disk.image();
    {
      auto directory = *disk.open();
      auto file = *directory->open("wal-1");
      write(*file, 0, "xyz");
      CHECK(directory->create("wal-2").ok());
      REQUIRE(directory->sync().ok());
    }
    disk.kill();
    CHECK_FALSE(disk.roll_back(image, "wal-2")); // It wasn't there then.
    CHECK(disk.roll_back(image, "wal-1"));
    CHECK_FALSE(disk.roll_back(image, "wal-1"));
    CHECK(disk.names().size() == 2);
    disk.roll_back(image);
    CHECK(disk.names().size() == 1);
    CHECK(text_of(disk.content("wal-1")) == "abc");
  }

  TEST_CASE("a log may end before its last batch if that is damaged, not before a proven one") {
    auto x = four_batches();
    CHECK(x.last_batch() == 4);
    CHECK_FALSE(x.may_end_between(3, 4, 4)); // Nothing is damaged.
    x.note(damage_kind::bit_rot, "wal-1", 3 * 512 + 7, 1);
    CHECK_FALSE(x.may_end_between(2, 3, 4)); // The fourth says that it was durable.
    CHECK(x.may_end_between(2, 3, 3));       // Unless it wasn't there when the power failed.
    CHECK_FALSE(x.may_end_between(3, 4, 4));
    x.note(damage_kind::lost_write, "wal-1", 4 * 512, 512);
    CHECK(x.may_end_between(2, 3, 4));
    CHECK(x.may_end_between(1, 4, 4)); // Nothing has become durable in between.
    CHECK(x.has_rotten_batch(2));
    CHECK_FALSE(x.has_rotten_batch(3));
  }

  TEST_CASE("what a start writes doesn't count before it is known what it found") {
    auto x = four_batches();
    x.note(damage_kind::lost_write, "wal-1", 4 * 512, 512);
    x.begin_start();
    x.note_write("wal-1", 4 * 512, batch(4, 3)); // In the place of the fourth.
    x.note_write("wal-1", 5 * 512, batch(5, 4));
    CHECK(x.may_end_between(3, 4, 4));
    CHECK(x.is_latent());
    x.end_start(false, {"wal-1"});
    CHECK(x.is_latent()); // The cache may have hidden it.
    x.begin_start();
    x.end_start(true, {"wal-1"});
    CHECK_FALSE(x.is_latent());
  }

  TEST_CASE("what a start has read is written again in one piece, and stays what it was") {
    disk_damage x;
    auto both = batch(1, 0);
    const auto second = batch(2, 1);
    both.insert(both.end(), second.begin(), second.end());
    x.note_write("wal-1", 512, both);
    CHECK(x.last_batch() == 2);
    x.note(damage_kind::bit_rot, "wal-1", 1024, 1);
    CHECK(x.may_end_between(1, 2, 2));
  }

  TEST_CASE(
    "E-09 E-11 E-13 E-14 E-17 disks that lie are found out, or what was lost is to be had") {
    totals sum;
    for (uint64_t seed = 1; seed <= 60; ++seed) {
      auto x = drawn_options(seed);
      x.storage = 1;
      x.damage = 1 + static_cast<int64_t>(seed % 2);
      x.replacements = 3;
      x.bit_rot = x.misdirected_write = x.lost_write = x.rollback = 2;
      const auto seen = run(x, {});
      CAPTURE(seed);
      CHECK_MESSAGE(seen.is_clean(), seen.invariant, ": ", seen.detail);
      add(sum, seen.counts);
    }
    for (auto field : {&totals::bit_rot, &totals::misdirected_writes, &totals::lost_writes,
                       &totals::file_rollbacks, &totals::directory_rollbacks,
                       &totals::damage_harmless, &totals::damage_refused, &totals::damage_shortened,
                       &totals::damage_read, &totals::replaced, &totals::segments_recycled})
      CHECK(sum.*field > 0);
  }
}
