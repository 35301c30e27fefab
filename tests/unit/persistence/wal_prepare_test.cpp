// Blocks that will be written are written with zeros before, while nobody waits.

#include "tests/unit/persistence/wal_fixture.hpp"

#include <doctest/doctest.h>

namespace caucus::testing {

namespace {

using namespace caucus::persistence;

wal_options zeroing_options() {
  auto x = small_options();
  x.segment_bytes = 1 << 20;
  x.zero_ahead_bytes = 256 << 10;
  return x;
}

/// An open file keeps the name it was made under: while the first segment is written, this one is
/// set aside.
constexpr std::string_view set_aside = "wal-0000000000000002.log.tmp";

/// Counts, and fails on demand, what is written into the segment that is set aside.
struct watched_disk : memory_disk {
  watched_disk() {
    on_call([this](const disk_call& call) -> std::optional<error> {
      if (call.kind != disk_call::kind::write || call.name != set_aside)
        return std::nullopt;
      ++writes_aside;
      if (!is_failing)
        return std::nullopt;
      return error{errc::io_failed, "planted"};
    });
  }

  int writes_aside = 0;
  bool is_failing = false;
};

const std::string medium(60 << 10, 'x');
const std::string large(64 << 10, 'x'); // With what is around it too large to prepare for.

} // namespace

TEST_SUITE("persistence/wal: the next segment is prepared") {
  TEST_CASE("small batches of a prepared segment write no zeros ahead, and all come back") {
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      watched_disk disk;
      auto node = start(disk, zeroing_options());
      node.log->add(descriptor(group_a));
      node.commit();
      REQUIRE(node.log->reserve().ok());
      uint64_t last = 0;
      for (; !node.log->wants_reserve(); ++last) {
        node.put(group_a, entries(last + 1, last + 1, 1, medium));
        REQUIRE(node.log->prepare().ok());
      }
      CHECK(disk.writes_aside > 3);
      for (int i = 0; i < 20; ++i) {
        const auto writes_before = disk.write_count();
        ++last;
        node.put(group_a, entries(last, last, 1));
        CHECK(disk.write_count() == writes_before + 1);
      }
      node = {};
      disk.crash(seed);
      CHECK(start(disk, zeroing_options()).group_last(group_a) == last);
    }
  }

  TEST_CASE("nothing is prepared where no zeros are wanted") {
    watched_disk disk;
    auto options = zeroing_options();
    options.zero_ahead_bytes = 0;
    auto node = start(disk, options);
    node.log->add(descriptor(group_a));
    node.commit();
    REQUIRE(node.log->reserve().ok());
    for (uint64_t i = 1; i <= 5; ++i) {
      node.put(group_a, entries(i, i, 1, medium));
      CHECK(node.log->prepare().ok());
    }
    CHECK(disk.writes_aside == 0);
  }

  TEST_CASE(
    "large batches prepare nothing: their blocks' second write would cost more than it saves") {
    watched_disk disk;
    auto node = start(disk, zeroing_options());
    node.log->add(descriptor(group_a));
    node.commit();
    REQUIRE(node.log->reserve().ok());
    for (uint64_t i = 1; i <= 8; ++i) {
      node.put(group_a, entries(i, i, 1, large));
      CHECK(node.log->prepare().ok());
    }
    CHECK(disk.writes_aside == 0);
  }

  TEST_CASE("zeros that can't be written are told once, and the log goes on") {
    watched_disk disk;
    auto node = start(disk, zeroing_options());
    node.log->add(descriptor(group_a));
    node.commit();
    REQUIRE(node.log->reserve().ok());
    disk.is_failing = true;
    for (uint64_t i = 1; i <= 3; ++i)
      node.put(group_a, entries(i, i, 1, medium));
    const auto failed = node.log->prepare();
    REQUIRE_FALSE(failed.ok());
    CHECK(failed.reason().what.find("planted") != std::string::npos);
    CHECK_FALSE(node.log->is_fenced());
    uint64_t last = 3;
    while (last < 6) {
      ++last;
      node.put(group_a, entries(last, last, 1, medium));
    }
    CHECK(node.log->prepare().ok());
    disk.is_failing = false;
    while (!node.log->wants_reserve()) {
      ++last;
      node.put(group_a, entries(last, last, 1, medium));
    }
    node = {};
    disk.crash(1);
    CHECK(start(disk, zeroing_options()).group_last(group_a) == last);
  }
}

} // namespace caucus::testing
