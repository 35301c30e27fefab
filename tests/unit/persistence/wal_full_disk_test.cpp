// A full disk is a state that the log leaves again (RELIABILITY E-05).

#include "tests/unit/persistence/wal_fixture.hpp"

#include <doctest/doctest.h>

#include <atomic>

namespace caucus::testing {

namespace {

using namespace caucus::persistence;

/// While it is full, no file gets any blocks.
struct small_disk : memory_disk {
  small_disk() {
    on_call([this](const disk_call& call) -> std::optional<error> {
      if (!is_full || call.kind != disk_call::kind::allocate)
        return std::nullopt;
      ++tries;
      return error{errc::no_space, "cannot allocate memory/" + std::string{call.name}};
    });
  }

  std::atomic<bool> is_full{false};
  std::atomic<uint64_t> tries{0};
};

storage start_with_group(memory_disk& disk) {
  auto node = start(disk);
  node.log->add(descriptor(group_a));
  node.commit();
  return node;
}

const std::string large(56 << 10, 'x'); // Nearly a segment.

} // namespace

TEST_SUITE("persistence/wal: a full disk") {
  TEST_CASE("E-05 what doesn't fit stays staged, is acknowledged by nobody, and goes in later") {
    small_disk disk;
    auto node = start_with_group(disk);
    node.put(group_a, entries(1, 1, 1, large));
    disk.is_full = true;
    node.log->add(group_a, entries(2, 2, 1, large));
    for (int i = 0; i < 3; ++i) {
      const auto failed = node.log->commit(true);
      REQUIRE_FALSE(failed.ok());
      CHECK(failed.reason().code == errc::no_space);
      CHECK(failed.reason().what.find("memory/") != std::string::npos);
      CHECK_FALSE(node.log->is_fenced());
    }
    CHECK(disk.tries == 3);
    CHECK(node.log_last(group_a) == 1);
    for (const auto& name : disk.names())
      CHECK(name.find(".tmp") == std::string::npos); // Its blocks are for others.
    disk.is_full = false;
    node.commit();
    CHECK(node.log_last(group_a) == 2);
    node = {};
    disk.crash(1);
    CHECK(start(disk).group_last(group_a) == 2);
  }

  TEST_CASE("E-05 a crash while it is full loses nothing that was acknowledged") {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      small_disk disk;
      auto node = start_with_group(disk);
      node.put(group_a, entries(1, 1, 1, large));
      disk.is_full = true;
      node.log->add(group_a, entries(2, 2, 1, large));
      CHECK_FALSE(node.log->commit(true).ok());
      node = {};
      disk.crash(seed);
      disk.is_full = false;
      CHECK(start(disk).group_last(group_a) == 1);
    }
  }

  TEST_CASE("E-05 what was set aside lets the log go on, votes first") {
    small_disk disk;
    auto node = start_with_group(disk);
    CHECK(node.log->wants_reserve());
    REQUIRE(node.log->reserve().ok());
    CHECK_FALSE(node.log->wants_reserve());
    disk.is_full = true;
    node.put(group_a, entries(1, 1, 1, large));
    node.put(group_a, entries(2, 2, 1, large)); // In the segment that was set aside.
    CHECK(node.log->wants_reserve());
    CHECK(node.log->reserve().reason().code == errc::no_space);
    node.put(group_a, hard(3, 2, 1)); // There is still room in this one.
    CHECK_FALSE(node.log->is_fenced());
    node = {};
    disk.crash(1);
    disk.is_full = false;
    const auto again = start(disk);
    CHECK(again.group(group_a).hard.term == term_t{3});
    CHECK(again.group_last(group_a) == 2);
  }

  TEST_CASE("E-05 a file that can't be made for now is waited for") {
    memory_disk disk;
    auto node = start_with_group(disk);
    disk.on_call([](const disk_call& call) -> std::optional<error> {
      if (call.kind != disk_call::kind::create)
        return std::nullopt;
      return error{errc::no_space, "cannot create memory/" + std::string{call.name}};
    });
    CHECK(node.log->reserve().reason().code == errc::no_space);
    node.put(group_a, hard(3, 2, 1));
    disk.on_call({});
    CHECK(node.log->reserve().ok());
  }

  TEST_CASE("E-01 any other failure of setting aside fences") {
    memory_disk disk;
    auto node = start_with_group(disk);
    disk.on_call([](const disk_call& call) -> std::optional<error> {
      if (call.kind != disk_call::kind::allocate)
        return std::nullopt;
      return error{errc::io_failed, "cannot allocate memory/" + std::string{call.name}};
    });
    CHECK(node.log->reserve().reason().code == errc::wal_io_failed);
    CHECK(node.log->is_fenced());
    CHECK_FALSE(node.log->commit(true).ok());
  }

  TEST_CASE("a segment set aside that nobody used is gone after the next start, without a word") {
    memory_disk disk;
    auto node = start_with_group(disk);
    REQUIRE(node.log->reserve().ok());
    node = {};
    disk.kill();
    const auto again = start(disk);
    CHECK(again.found.warnings.empty());
    for (const auto& name : disk.names())
      CHECK(name.find(".tmp") == std::string::npos);
  }
}

} // namespace caucus::testing
