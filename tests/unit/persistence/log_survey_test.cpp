#include "persistence/log_recovery.hpp"
#include "persistence/log_survey.hpp"
#include "tests/unit/persistence/collect_fixture.hpp"
#include "tests/unit/persistence/wal_disks.hpp"

#include <algorithm>

using namespace caucus;
using namespace caucus::testing;
using namespace caucus::persistence;

namespace {

struct collector final : log_visitor {
  std::vector<log_problem> problems;
  std::vector<uint64_t> batches;
  std::vector<record_kind> records;

  void on_batch(log_position, const batch_header& x) override { batches.push_back(x.number); }
  void on_record(const surveyed_record& x) override { records.push_back(x.header.kind); }
  void on_problem(const log_problem& x) override { problems.push_back(x); }

  [[nodiscard]] bool has_damage() const {
    return std::any_of(problems.begin(), problems.end(), [](const auto& x) { return x.is_damage; });
  }
};

collector survey(memory_disk& disk) {
  collector found;
  auto dir = disk.open();
  REQUIRE(dir.ok());
  REQUIRE(log_survey{**dir, found}.run().ok());
  return found;
}

/// As a start reads it, without writing.
result<recovered_log> read(memory_disk& disk) {
  auto dir = disk.open();
  REQUIRE(dir.ok());
  auto catalog = segment_catalog::read(**dir, self);
  if (!catalog)
    return std::move(catalog).reason();
  return recover_log(**dir, small_options(), *catalog, std::make_shared<log_index>());
}

/// Whether a start would lose something that was durable.
bool is_damage(const result<recovered_log>& x) {
  if (!x)
    return true;
  const auto& groups = x->recovery.groups;
  const auto& warnings = x->recovery.warnings;
  return std::any_of(groups.begin(), groups.end(), [](const auto& g) { return bool{g.damaged}; })
         || std::any_of(warnings.begin(), warnings.end(), [](const auto& text) {
              return text.find("is damaged") != std::string::npos;
            });
}

void put(memory_disk& disk, std::vector<std::byte> content) {
  disk.put(first_segment, std::move(content));
}

} // namespace

TEST_SUITE("persistence/log_survey") {

  TEST_CASE("a sound log is walked from end to end without a problem") {
    memory_disk disk;
    fill(disk);
    const auto found = survey(disk);
    CHECK(found.problems.empty());
    CHECK(found.batches.size() == batch_offsets(disk.content(first_segment)).size() - 1);
    CHECK(std::is_sorted(found.batches.begin(), found.batches.end()));
    for (auto kind : {record_kind::group_created, record_kind::entries, record_kind::hard_state})
      CHECK(std::count(found.records.begin(), found.records.end(), kind) > 0);
  }

  TEST_CASE("every flipped bit is told where a start would tell it, and as the same (C8)") {
    memory_disk disk;
    fill(disk);
    const auto whole = disk.content(first_segment);
    const auto end = batch_offsets(whole).back();
    size_t damages = 0;
    for (uint64_t bit = 0; bit < (end + 64) * 8; ++bit) {
      if (bit == 128 * 8)
        bit = segment_header_bytes * 8; // Between them are zeros that nobody reads.
      CAPTURE(bit / 8);
      memory_disk fresh;
      auto flipped = whole;
      flipped[bit / 8] ^= std::byte{1} << (bit % 8);
      put(fresh, std::move(flipped));
      const auto found = survey(fresh);
      REQUIRE_FALSE(found.problems.empty());
      REQUIRE(found.has_damage() == is_damage(read(fresh)));
      damages += found.has_damage() ? 1 : 0;
    }
    CHECK(damages > 1000);
  }

  TEST_CASE("the same of a log with all kinds of records, whose first segments were collected") {
    memory_disk disk;
    auto options = small_options();
    options.segment_bytes = 8 << 10;
    {
      auto node = start(disk, options);
      node.log->add(descriptor(group_a));
      node.log->add(descriptor(group_b, 8));
      node.put(group_a, entries(1, 2, 1));
      segment_collector collector{node.log->reader()};
      for (uint64_t index = 1; node.log->oldest_segment() < 3; ++index) {
        node.put(group_b, entries(index, index, 1, std::string(300, 'x')));
        node.log->add(group_b, index % 2 == 0 ? mark(boundary(index, 1), boundary(index, 1))
                                              : small_mark(boundary(index, 1), "state"));
        node.commit();
        while (node.log->usage().segments.size() > 2)
          REQUIRE(collect_step(*node.log, collector, 1 << 10).ok());
      }
      node.put(group_b, hard(2, 1, 1)); // Proves what is before.
    }
    disk.kill();
    const auto sound = survey(disk);
    CHECK(sound.problems.empty());
    for (auto kind : {record_kind::moved, record_kind::checkpoint, record_kind::snapshot_mark,
                      record_kind::small_snapshot})
      CHECK(std::count(sound.records.begin(), sound.records.end(), kind) > 0);
    size_t damages = 0;
    for (const auto& name : disk.names()) {
      if (!parse_segment_name(name))
        continue; // It was given up, and nobody looks into it.
      const auto whole = disk.content(name);
      const auto end = batch_offsets(whole, *parse_segment_name(name)).back();
      for (uint64_t byte = 0; byte < end; byte = byte == 127 ? segment_header_bytes : byte + 1) {
        CAPTURE(name);
        CAPTURE(byte);
        auto flipped = whole;
        flipped[byte] ^= std::byte{1} << (byte % 8);
        disk.put(name, std::move(flipped));
        const auto found = survey(disk);
        REQUIRE_FALSE(found.problems.empty());
        REQUIRE(found.has_damage() == is_damage(read(disk)));
        damages += found.has_damage() ? 1 : 0;
      }
      disk.put(name, whole);
    }
    CHECK(damages > 3000);
  }

  TEST_CASE("goes on behind damage, so that every place is named in one look") {
    memory_disk disk;
    fill(disk);
    auto damaged = disk.content(first_segment);
    const auto offsets = batch_offsets(damaged);
    REQUIRE(offsets.size() > 5);
    damaged[offsets[1]] ^= std::byte{1};                          // A batch's header,
    damaged[offsets[3] + batch_header_bytes + 4] ^= std::byte{1}; // and a record's in another.
    put(disk, damaged);
    const auto found = survey(disk);
    std::vector<uint64_t> places;
    for (const auto& problem : found.problems) {
      CHECK(problem.file == first_segment);
      CHECK(problem.is_damage);
      places.push_back(problem.offset);
    }
    CHECK(places == std::vector{offsets[1], offsets[3], offsets[3] + batch_header_bytes});
    CHECK(found.batches.size() == offsets.size() - 2); // All but the one without a header.
  }

  TEST_CASE("a missing segment, one of another directory, and a file that can't be read are told") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(descriptor(group_a));
    for (uint64_t index = 1; disk.names().size() < 4; ++index)
      node.put(group_a, entries(index, index, 1, std::string(20'000, 'x')));
    node = {};
    CHECK(survey(disk).problems.empty());
    const auto names = disk.names();
    memory_disk other;
    auto options = small_options();
    options.new_directory = directory_id{0xd2};
    auto stranger = start(other, options);
    stranger = {};
    disk.put(names[2], other.content(first_segment));
    disk.erase(names[1]);
    disk.on_call([&](const disk_call& x) -> std::optional<error> {
      if (x.kind == disk_call::kind::read && x.name == names[0])
        return error{errc::io_failed, "the medium is worn out"};
      return std::nullopt;
    });
    const auto found = survey(disk);
    const auto has = [&](const std::string& file, std::string_view what) {
      return std::any_of(found.problems.begin(), found.problems.end(), [&](const auto& x) {
        return x.file == file && x.is_damage && x.what.find(what) != std::string::npos;
      });
    };
    CHECK(has(names[1], "is missing"));
    CHECK(has(names[2], "it says that it is"));
    CHECK(has(names[0], "worn out"));
  }

  TEST_CASE("an empty directory and a segment that was set aside are no problem") {
    memory_disk disk;
    CHECK(survey(disk).problems.empty());
    fill(disk);
    disk.put(unfinished_segment_name(2), {});
    CHECK(survey(disk).problems.empty());
  }
}
