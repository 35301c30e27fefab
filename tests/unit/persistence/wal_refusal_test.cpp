#include "base/crc32c.hpp"
#include "persistence/batch_buffer.hpp"
#include "persistence/wal.hpp"
#include "tests/unit/persistence/wal_disks.hpp"

#include <algorithm>
#include <cstring>

using namespace caucus;
using namespace caucus::testing;
using persistence::batch_header;

TEST_SUITE("persistence/wal_refusal") {

  TEST_CASE("a missing segment is named (W-04)") {
    for (const auto missing : {1, 2}) {
      memory_disk disk;
      auto options = small_options();
      options.segment_bytes = 8 << 10;
      auto node = start(disk, options);
      node.log->add(descriptor(group_a));
      for (uint64_t i = 1; i <= 20; ++i)
        node.put(group_a, entries(i, i, 1, std::string(1000, 'x')));
      node = {};
      disk.kill();
      REQUIRE(disk.names().size() > 3);
      disk.erase(persistence::segment_name(static_cast<uint64_t>(missing)));
      const auto refused = try_start(disk, options);
      REQUIRE_FALSE(refused.ok());
      CHECK(refused.reason().code == errc::wal_corrupt);
      CHECK(mentions(refused.reason(),
                     persistence::segment_name(static_cast<uint64_t>(missing)) + " is missing"));
    }
  }

  TEST_CASE("a start that its owner doesn't accept has written nothing and counts no boot") {
    memory_disk disk;
    fill(disk);
    disk.kill();
    const auto calls = disk.call_count();
    const auto before = disk.content("wal-0000000000000001.log");
    auto dir = disk.open();
    REQUIRE(dir.ok());
    boot_count boot;
    const auto refused =
      persistence::wal::open(**dir, self, small_options(), {},
                             [&](const persistence::wal_recovery& found) -> result<void> {
                               CHECK_FALSE(found.groups.empty());
                               boot = found.boot;
                               return error{errc::already_exists, "not what was wanted"};
                             });
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.reason().code == errc::already_exists);
    CHECK(disk.call_count() == calls);
    CHECK(disk.content("wal-0000000000000001.log") == before);
    disk.kill();
    const auto next = try_start(disk, small_options());
    REQUIRE(next.ok());
    CHECK(next->found.boot == boot);
  }

  TEST_CASE("a segment of another directory is refused") {
    memory_disk disk;
    fill(disk);
    auto header = persistence::segment_header{self, directory_id{0xd2}, 2};
    header.first_batch = 7;
    const auto encoded = persistence::encode(header);
    disk.put("wal-0000000000000002.log", {encoded.begin(), encoded.end()});
    const auto refused = try_start(disk, small_options());
    REQUIRE_FALSE(refused.ok());
    CHECK(mentions(refused.reason(), "another directory"));
  }

  TEST_CASE("a file left from making a segment is finished or removed (W-05, S-45)") {
    const bytes empty;
    const bytes zeros(64 << 10);
    const auto header =
      persistence::encode(persistence::segment_header{self, directory_id{0xd1}, 2});
    bytes half(zeros);
    std::copy(header.begin(), header.begin() + 40, half.begin());
    for (const auto& content : {empty, zeros, half})
      for (const auto& name :
           {std::string{"wal-0000000000000002.log"}, std::string{"wal-0000000000000002.log.tmp"}}) {
        memory_disk disk;
        fill(disk);
        disk.put(name, content);
        auto node = start(disk);
        CHECK(ids(node.group(group_a).tail) == "1@1 2@1 3@1 4@1 5@2");
        CHECK(node.found.warnings.size() == (name.ends_with(".tmp") ? 0u : 1u));
        CHECK(disk.names() == std::vector{first_segment});
      }
    memory_disk disk; // The same before there is any other segment.
    disk.put(first_segment, half);
    CHECK(start(disk).found.was_empty);
  }

  TEST_CASE("a segment whose header is damaged but that has batches is refused") {
    memory_disk disk;
    fill(disk);
    auto content = disk.content(first_segment);
    content[50] ^= std::byte{4};
    memory_disk fresh;
    const auto refused = try_start_on(content, fresh);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.reason().code == errc::wal_corrupt);
    CHECK(mentions(refused.reason(), first_segment));
  }

  TEST_CASE("a newer format is refused naming both versions (W-17)") {
    memory_disk disk;
    fill(disk);
    auto content = disk.content(first_segment);
    content[8] = std::byte{2};
    const auto sum = crc32c(std::span{content}.first(124));
    std::memcpy(content.data() + 124, &sum, 4);
    memory_disk fresh;
    const auto refused = try_start_on(content, fresh);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.reason().code == errc::version_mismatch);
    CHECK(mentions(refused.reason(), "it has format 2, this build reads format 1"));
  }

  TEST_CASE("a record kind of a newer build is refused naming both (W-17)") {
    memory_disk disk;
    fill(disk);
    auto content = disk.content(first_segment);
    const auto end = batch_offsets(content).back();
    persistence::batch_buffer future;
    future.add(persistence::record_kind{200}, {}, {}, std::initializer_list<uint64_t>{1});
    batch_header header;
    header.number = 7;
    header.epoch = boot_count{1};
    const auto written = future.seal(header, {directory_id{0xd1}, 1, end});
    std::copy(written.begin(), written.end(), content.begin() + static_cast<ptrdiff_t>(end));
    memory_disk fresh;
    const auto refused = try_start_on(content, fresh);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.reason().code == errc::version_mismatch);
    CHECK(mentions(refused.reason(), "kind 200, which this build doesn't read (it reads 1 to 12)"));
  }

  TEST_CASE("another node's or cluster's directory is refused and not touched (O-05)") {
    memory_disk disk;
    fill(disk);
    disk.put("wal-0000000000000002.log.tmp", {});
    const auto calls = disk.call_count();
    for (const auto& other : {persistence::wal_identity{cluster_id{0xc1}, node_id{2}},
                              persistence::wal_identity{cluster_id{0xc2}, node_id{1}}}) {
      const auto refused = try_start(disk, small_options(), other);
      REQUIRE_FALSE(refused.ok());
      CHECK(refused.reason().code == errc::identity_mismatch);
      CHECK(
        mentions(refused.reason(), "directory memory belongs to node 1 of cluster c1 (this is"));
    }
    CHECK(disk.call_count() == calls);
  }

} // TEST_SUITE
