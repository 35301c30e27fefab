#include "base/assert.hpp"
#include "persistence/batch_buffer.hpp"
#include "persistence/wal.hpp"
#include "tests/unit/persistence/wal_disks.hpp"

#include <algorithm>

using namespace caucus;
using namespace caucus::testing;
using persistence::batch_header;

TEST_SUITE("persistence/wal_damage") {

  TEST_CASE(
    "the last batch torn at any byte is dropped with a warning, the rest kept (W-02, S-46)") {
    memory_disk disk;
    fill(disk);
    const auto whole = disk.content(first_segment);
    const auto offsets = batch_offsets(whole);
    const auto begin = offsets[offsets.size() - 2];
    const auto end = offsets.back();
    for (auto cut = begin; cut < end; ++cut) {
      auto torn = whole;
      std::fill(torn.begin() + static_cast<ptrdiff_t>(cut), torn.end(), std::byte{0});
      if (torn == whole)
        continue; // Only its padding was cut.
      memory_disk fresh;
      auto node = try_start_on(torn, fresh);
      REQUIRE(node.ok());
      REQUIRE(ids(node->group(group_a).tail) == "1@1 2@1 3@1 4@1");
      REQUIRE(node->found.warnings.size() == (cut == begin ? 0u : 1u));
      if (cut > begin)
        REQUIRE(node->found.warnings[0].find("offset " + std::to_string(begin))
                != std::string::npos);
      const auto repaired = fresh.content(first_segment);
      const auto live_end = static_cast<ptrdiff_t>(batch_offsets(repaired).back());
      REQUIRE(std::all_of(repaired.begin() + live_end, repaired.end(),
                          [](std::byte x) { return x == std::byte{0}; }));
      // What is written next is not confused by what was left there.
      node->put(group_a, entries(5, 6, 3));
      auto again = restart(fresh, *std::move(node));
      REQUIRE(again.found.warnings.empty());
      REQUIRE(ids(again.group(group_a).tail) == "1@1 2@1 3@1 4@1 5@3 6@3");
    }
  }

  TEST_CASE("a file cut off at any byte of the last batch is a torn tail") {
    memory_disk disk;
    fill(disk);
    auto whole = disk.content(first_segment);
    const auto offsets = batch_offsets(whole);
    for (auto size = offsets[offsets.size() - 2] + 1; size < offsets.back(); ++size) {
      memory_disk fresh;
      auto cut = whole;
      cut.resize(size);
      auto node = try_start_on(cut, fresh);
      REQUIRE(node.ok());
      REQUIRE(node->group(group_a).last == index_t{4});
      REQUIRE(node->found.warnings.size() == 1);
    }
  }

  TEST_CASE("every flipped bit is harmless or reported, and never silently believed (E-09)") {
    memory_disk disk;
    fill(disk);
    const auto whole = disk.content(first_segment);
    const auto offsets = batch_offsets(whole);
    const auto last_batch = offsets[offsets.size() - 2];
    const auto is_zero = [](std::byte x) { return x == std::byte{0}; };
    const auto nonzero_end =
      static_cast<uint64_t>(whole.rend() - std::find_if_not(whole.rbegin(), whole.rend(), is_zero));
    for (uint64_t bit = 0; bit < (offsets.back() + 64) * 8; ++bit) {
      if (bit == 128 * 8)
        bit = persistence::segment_header_bytes * 8; // Between them are zeros that nobody reads.
      auto flipped = whole;
      flipped[bit / 8] ^= std::byte{1} << (bit % 8);
      memory_disk fresh;
      auto node = try_start_on(flipped, fresh);
      CAPTURE(bit / 8);
      if (bit / 8 < last_batch) {
        // Proven durable: refused, or only the group that it hit is out, or it hit padding; always
        // said.
        if (!node) {
          REQUIRE(node.reason().code != errc::none);
          REQUIRE(mentions(node.reason(), first_segment));
          continue;
        }
        REQUIRE(node->found.warnings.size() == 1);
        const auto& a = node->group(group_a);
        const auto& b = node->group(group_b);
        REQUIRE((a.damaged || ids(a.tail) == "1@1 2@1 3@1 4@1 5@2"));
        REQUIRE((a.damaged || a.hard == raft::hard_state{term_t{2}, node_id{3}, index_t{4}}));
        REQUIRE((b.damaged || ids(b.tail) == "1@1"));
        REQUIRE_FALSE((a.damaged && b.damaged));
      } else {
        // Nothing proves it: a torn tail, told with its place, its size and what remains.
        REQUIRE(node.ok());
        REQUIRE(node->found.warnings.size() == 1);
        const auto& told = node->found.warnings.front();
        const bool is_behind = bit / 8 >= offsets.back();
        const auto tail = is_behind ? offsets.back() : last_batch;
        const auto end = std::max(nonzero_end, bit / 8 + 1);
        REQUIRE(told.find("torn tail: ") == 0);
        REQUIRE(told.find(first_segment + " at offset " + std::to_string(tail) + ": "
                          + std::to_string(end - tail) + " bytes")
                != std::string::npos);
        REQUIRE(told.find(is_behind ? "group-10 ends at 5" : "group-10 ends at 4")
                != std::string::npos);
        REQUIRE(told.find("group-11 ends at 1") != std::string::npos);
        REQUIRE(ids(node->group(group_a).tail)
                == (is_behind ? "1@1 2@1 3@1 4@1 5@2" : "1@1 2@1 3@1 4@1"));
      }
    }
  }

  TEST_CASE("damage in one group's record quarantines that group alone (E-09, E-12)") {
    memory_disk disk;
    fill(disk);
    auto damaged = disk.content(first_segment);
    const auto offsets = batch_offsets(damaged);
    // Batch 4 has group b's entry and then group a's; the first payload is at its end's beginning.
    const auto payload =
      offsets[3] + persistence::batch_header_bytes + persistence::record_header_bytes + 16 + 48;
    damaged[payload] ^= std::byte{1};
    memory_disk fresh;
    auto node = try_start_on(damaged, fresh);
    REQUIRE(node.ok());
    const auto& b = node->group(group_b);
    REQUIRE(b.damaged);
    CHECK(b.damaged->code == errc::wal_corrupt);
    CHECK(mentions(*b.damaged, first_segment));
    CHECK(b.hard == raft::hard_state{});
    CHECK(b.tail.empty());
    CHECK(b.descriptor == descriptor(group_b, 8));
    CHECK(ids(node->group(group_a).tail) == "1@1 2@1 3@1 4@1 5@2");
    CHECK_THROWS_AS(node->log->add(group_b, entries(2, 2, 1)), invariant_violation);
    CHECK(node->log->reader()->read(group_b, index_t{1}, index_t{1}, 1).reason().code
          == errc::no_such_group);
    // It stays so over restarts, until the group is deleted.
    auto again = restart(fresh, *std::move(node));
    CHECK(again.group(group_b).damaged);
    again.log->add_deleted(group_b);
    again.commit();
    again = restart(fresh, std::move(again));
    CHECK(again.found.groups.size() == 1);
  }

  TEST_CASE("a damaged batch before a durable one is refused by file, offset and remedy (W-03)") {
    memory_disk disk;
    fill(disk);
    auto damaged = disk.content(first_segment);
    const auto offsets = batch_offsets(damaged);
    for (size_t i = 0; i < 40; ++i) // The header of batch 3 is gone: framing is lost.
      damaged[offsets[2] + i] = std::byte{0};
    memory_disk fresh;
    const auto before = fresh.call_count();
    auto node = try_start_on(damaged, fresh);
    REQUIRE_FALSE(node.ok());
    CHECK(node.reason().code == errc::wal_corrupt);
    CHECK(mentions(node.reason(), first_segment + " at offset " + std::to_string(offsets[2])));
    CHECK(mentions(node.reason(), "restore"));
    CHECK(fresh.call_count() == before); // A refusal writes nothing.
  }

  TEST_CASE("batches after a torn one are dead although they are intact") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(descriptor(group_a));
    node.put(group_a, entries(1, 1, 1));
    for (uint64_t i = 2; i <= 4; ++i) { // Three writes that no sync covers.
      node.log->add(group_a, entries(i, i, 1));
      node.commit(false);
    }
    node = {};
    disk.kill();
    auto torn = disk.content(first_segment);
    const auto offsets = batch_offsets(torn);
    torn[offsets[offsets.size() - 4] + 60] ^=
      std::byte{1}; // Of entry 2: sectors land in any order.
    memory_disk fresh;
    auto again = try_start_on(torn, fresh);
    REQUIRE(again.ok());
    CHECK(ids(again->group(group_a).tail) == "1@1");
    CHECK(again->found.warnings.size() == 1);
    // They stay dead even if the zeros that were written over them were lost: their epoch is older.
    again->put(group_a, entries(2, 2, 5));
    *again = {};
    fresh.kill();
    auto mixed = fresh.content(first_segment);
    const auto live_end = batch_offsets(mixed).back();
    std::copy(torn.begin() + static_cast<ptrdiff_t>(live_end), torn.end(),
              mixed.begin() + static_cast<ptrdiff_t>(live_end));
    auto last = try_start_on(mixed, fresh);
    REQUIRE(last.ok());
    CHECK(ids(last->group(group_a).tail) == "1@1 2@5");
  }

  TEST_CASE("an intact batch of an older epoch with the right number is not believed") {
    const persistence::batch_place place{directory_id{0xd1}, 1, 0};
    memory_disk disk;
    auto node = start(disk);               // Epoch 1, batch 1.
    node = restart(disk, std::move(node)); // Epoch 2, batch 2.
    node = {};
    disk.kill();
    auto content = disk.content(first_segment);
    const auto end = batch_offsets(content).back();
    persistence::batch_buffer old;
    batch_header header;
    header.number = 3;
    header.epoch = boot_count{1};
    auto written = old.seal(header, {place.directory, 1, end});
    std::copy(written.begin(), written.end(), content.begin() + static_cast<ptrdiff_t>(end));
    memory_disk fresh;
    auto again = try_start_on(content, fresh);
    REQUIRE(again.ok());
    CHECK(again->found.warnings.size() == 1);
    CHECK(again->found.boot == boot_count{3});
  }

  TEST_CASE("a sound batch with another number than the next is not believed (E-14)") {
    for (const auto number : {uint64_t{6}, uint64_t{8}}) { // The next is 7.
      memory_disk disk;
      fill(disk);
      auto content = disk.content(first_segment);
      const auto end = batch_offsets(content).back();
      persistence::batch_buffer other;
      other.add(persistence::record_kind::peer_identity, {}, {},
                std::initializer_list<uint64_t>{2, 22});
      batch_header header;
      header.number = number;
      header.epoch = boot_count{1};
      const auto written = other.seal(header, {directory_id{0xd1}, 1, end});
      std::copy(written.begin(), written.end(), content.begin() + static_cast<ptrdiff_t>(end));
      memory_disk fresh;
      auto node = try_start_on(content, fresh);
      REQUIRE(node.ok());
      CHECK(node->found.peers.empty());
      CHECK(node->found.warnings.size() == 1);
    }
  }

  TEST_CASE("a batch at a place where it was not written is not believed (E-13)") {
    memory_disk disk;
    fill(disk);
    auto moved = disk.content(first_segment);
    const auto offsets = batch_offsets(moved);
    const auto last = offsets[offsets.size() - 2];
    const bytes copy(moved.begin() + static_cast<ptrdiff_t>(last),
                     moved.begin() + static_cast<ptrdiff_t>(offsets.back()));
    // Its proof that earlier batches were durable counts only where it stood.
    std::fill(moved.begin() + static_cast<ptrdiff_t>(offsets[4]), moved.end(), std::byte{0});
    std::copy(copy.begin(), copy.end(), moved.begin() + static_cast<ptrdiff_t>(last + 8));
    memory_disk fresh;
    auto node = try_start_on(moved, fresh);
    REQUIRE(node.ok());
    CHECK(node->group(group_a).last == index_t{4});
    CHECK(node->found.warnings.size() == 1);
  }

  TEST_CASE("a torn last batch in a segment that is not the newest is damage (W-04)") {
    memory_disk disk;
    auto options = small_options();
    options.segment_bytes = 16 << 10;
    auto node = start(disk, options);
    node.log->add(descriptor(group_a));
    for (uint64_t i = 1; i <= 20; ++i)
      node.put(group_a, entries(i, i, 1, std::string(1000, 'x')));
    node = {};
    disk.kill();
    REQUIRE(disk.names().size() == 2);
    auto closed = disk.content(first_segment);
    const auto offsets = batch_offsets(closed);
    std::fill(closed.begin() + static_cast<ptrdiff_t>(offsets[offsets.size() - 2]), closed.end(),
              std::byte{0});
    disk.put(first_segment, closed);
    const auto refused = try_start(disk, options);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.reason().code == errc::wal_corrupt);
    CHECK(mentions(refused.reason(), "a later segment follows"));
  }

  TEST_CASE("a length field of garbage takes no memory (S-47)") {
    memory_disk disk;
    fill(disk);
    auto content = disk.content(first_segment);
    const auto end = batch_offsets(content).back();
    batch_header header;
    header.number = 7;
    header.epoch = boot_count{1};
    header.bytes = 0xfffffff8;
    persistence::encode(header, {directory_id{0xd1}, 1, end}, std::span{content}.subspan(end));
    memory_disk fresh;
    auto node = try_start_on(content, fresh);
    REQUIRE(node.ok());
    CHECK(node->found.warnings.size() == 1);
  }

} // TEST_SUITE
