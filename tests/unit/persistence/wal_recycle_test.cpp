// Segments that were given up are written over instead of new ones.

#include "persistence/batch_buffer.hpp"
#include "persistence/log_survey.hpp"
#include "tests/unit/persistence/recycle_fixture.hpp"

using namespace caucus;
using namespace caucus::testing;
using namespace caucus::persistence;

namespace {

/// Torn tails and damage that a survey tells of.
struct told_problems final : log_visitor {
  std::vector<log_problem> all;
  void on_problem(const log_problem& x) override { all.push_back(x); }
};

size_t problems_of(memory_disk& disk) {
  auto dir = *disk.open();
  told_problems told;
  REQUIRE(log_survey{*dir, told}.run().ok());
  return told.all.size();
}

/// The newest segment of a log that has been killed, and what it held before.
struct recycled_segment {
  recycling_log log;
  std::string name;
  uint64_t sequence = 0;
  bytes whole;
  std::vector<uint64_t> offsets;

  recycled_segment() {
    log.recycle();
    log.kill();
    sequence = log.newest();
    name = segment_name(sequence);
    whole = log.disk.content(name);
    offsets = batch_offsets(whole, sequence);
  }

  [[nodiscard]] uint64_t last_batch() const { return offsets[offsets.size() - 2]; }
  [[nodiscard]] uint64_t end() const { return offsets.back(); }

  /// The log with other bytes in this segment.
  [[nodiscard]] memory_disk with(bytes content) const {
    auto disk = copy_of(log.disk);
    disk.put(name, std::move(content));
    return disk;
  }
};

} // namespace

TEST_SUITE("persistence/wal: segments are recycled") {
  TEST_CASE("a segment that was given up becomes a later one, without new blocks") {
    recycling_log log;
    log.recycle();
    log.shorten();
    uint64_t allocated = 0;
    log.disk.on_call([&](const disk_call& x) -> std::optional<error> {
      allocated += x.kind == disk_call::kind::allocate || x.kind == disk_call::kind::create ? 1 : 0;
      return std::nullopt;
    });
    for (int i = 0; i < 5; ++i) {
      REQUIRE(log.node.log->reserve().ok());
      log.begin_next();
      CHECK(header_of(log.disk, log.newest()).recycled_from != 0);
      log.shorten();
    }
    CHECK(allocated == 0);
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      auto left = copy_of(log.disk);
      left.crash(seed);
      auto again = start(left, log.options);
      CHECK(again.group_last(group_a) == log.last);
      CHECK(again.found.warnings.empty());
      CHECK(unfinished_of(left) == 0); // Spares go at a start.
    }
  }

  TEST_CASE("a segment's header tells which one its file was before") {
    recycling_log log;
    log.begin_next();
    log.begin_next();
    log.shorten();
    CHECK(segments_of(log.disk) == std::vector<uint64_t>{3});
    CHECK(header_of(log.disk, 3).recycled_from == 0);
    log.begin_next();
    CHECK(header_of(log.disk, 4).recycled_from == 1);
    log.begin_next();
    CHECK(header_of(log.disk, 5).recycled_from == 2);
    log.begin_next();
    CHECK(header_of(log.disk, 6).recycled_from == 0); // There was none left.
  }

  TEST_CASE("no more spares are kept than wanted, the other files go") {
    for (const size_t spares_max : {0, 1, 2, 5}) {
      recycling_log log{spares_max};
      for (int i = 0; i < 4; ++i)
        log.begin_next();
      log.shorten();
      CHECK(unfinished_of(log.disk) == std::min<size_t>(spares_max, 4));
      CHECK(segments_of(log.disk).size() == 1);
    }
  }

  TEST_CASE("a segment of another size than usual is no spare") {
    recycling_log log;
    log.last = 1;
    log.node.put(group_a, entries(1, 1, 1, std::string(40 << 10, 'x')));
    log.begin_next();
    log.shorten();
    CHECK(unfinished_of(log.disk) == 1); // The first segment, not the second.
    CHECK(log.disk.content(segment_name(1) + ".tmp").size() == log.options.segment_bytes);
  }

  TEST_CASE("batches that overwrite a segment write no zeros, neither ahead nor beside") {
    for (const bool is_restarted : {false, true}) {
      recycling_log log;
      log.options.zero_ahead_bytes = 4096;
      log.node = restart(log.disk, std::move(log.node), log.options);
      log.recycle();
      if (is_restarted)
        log.node = restart(log.disk, std::move(log.node), log.options);
      for (int i = 0; i < 8; ++i) {
        const auto before = log.disk.write_count();
        log.put();
        CHECK(log.disk.write_count() == before + 1);
      }
    }
  }

  TEST_CASE("a log in a recycled segment ends cleanly before what the file held then") {
    recycling_log log;
    log.recycle();
    for (int i = 0; i < 10; ++i) { // Among them places where an old batch began.
      log.put();
      auto left = copy_of(log.disk);
      CHECK(problems_of(left) == 0);
      auto again = start(left, log.options);
      CHECK(again.group_last(group_a) == log.last);
      CHECK(again.found.warnings.empty());
      again.put(group_a, entries(log.last + 1, log.last + 1, 2));
      again = restart(left, std::move(again), log.options);
      CHECK(again.found.warnings.empty());
      CHECK(again.group_last(group_a) == log.last + 1);
    }
  }

  TEST_CASE("old batches are never read, though their numbers would fit (E-13)") {
    const recycled_segment last;
    const auto newest =
      *decode_batch_header(std::span{last.whole}.subspan(last.last_batch()),
                           {directory_id{0xd1}, last.sequence, last.last_batch()});
    for (const auto sequence :
         {last.sequence, header_of(last.log.disk, last.sequence).recycled_from}) {
      batch_buffer other;
      other.add(record_kind::peer_identity, {}, {}, std::initializer_list<uint64_t>{2, 22});
      batch_header header;
      header.number = newest.number + 1;
      header.epoch = newest.epoch;
      header.durable_upto = newest.number;
      const auto written = other.seal(header, {directory_id{0xd1}, sequence, last.end()});
      auto content = last.whole;
      std::copy(written.begin(), written.end(),
                content.begin() + static_cast<ptrdiff_t>(last.end()));
      auto disk = last.with(content);
      const auto node = start(disk, last.log.options);
      CHECK(node.found.peers.size() == (sequence == last.sequence ? 1 : 0));
      CHECK(node.group_last(group_a) == last.log.last);
    }
  }

  TEST_CASE("the last batch torn at any byte, over an old one, is dropped (W-02, S-46)") {
    recycling_log log;
    log.recycle();
    const auto name = segment_name(log.newest());
    const auto old = log.disk.content(name);
    log.put();
    log.kill();
    const auto whole = log.disk.content(name);
    const auto offsets = batch_offsets(whole, log.newest());
    const auto begin = offsets[offsets.size() - 2];
    for (const bool is_front_new : {true, false})
      for (auto cut = begin; cut <= offsets.back(); ++cut) {
        CAPTURE(cut - begin);
        auto torn = is_front_new ? whole : old;
        const auto& rest = is_front_new ? old : whole;
        std::copy(rest.begin() + static_cast<ptrdiff_t>(cut), rest.end(),
                  torn.begin() + static_cast<ptrdiff_t>(cut));
        if (torn == whole)
          continue;
        auto disk = copy_of(log.disk);
        disk.put(name, torn);
        const auto problems = problems_of(disk);
        auto node = start(disk, log.options);
        REQUIRE(node.group_last(group_a) == log.last - 1);
        REQUIRE(node.found.warnings.size() == problems);
        if (is_front_new && cut >= begin + 16) { // Magic and number are there.
          REQUIRE(problems == 1);
          REQUIRE(node.found.warnings[0].find("torn tail: ") == 0);
          REQUIRE(node.found.warnings[0].find(name + " at offset " + std::to_string(begin) + ": ")
                  != std::string::npos);
        }
        node.put(group_a, entries(log.last, log.last, 3));
        node = restart(disk, std::move(node), log.options);
        REQUIRE(node.found.warnings.empty());
        REQUIRE(node.group_last(group_a) == log.last);
        REQUIRE(node.group(group_a).tail.back()->id.term == term_t{3});
      }
  }

  TEST_CASE("a torn batch is told of by an intact one behind it, though nothing is left of it") {
    recycling_log log;
    log.recycle();
    const auto name = segment_name(log.newest());
    const auto old = log.disk.content(name);
    const auto before = batch_offsets(old, log.newest()).back();
    for (int i = 0; i < 2; ++i) {
      ++log.last;
      log.node.log->add(group_a, entries(log.last, log.last, 1));
      log.node.commit(false);
    }
    log.kill();
    auto torn = log.disk.content(name);
    const auto offsets = batch_offsets(torn, log.newest());
    const auto second = offsets[offsets.size() - 2];
    std::copy(old.begin() + static_cast<ptrdiff_t>(before),
              old.begin() + static_cast<ptrdiff_t>(second),
              torn.begin() + static_cast<ptrdiff_t>(before));
    auto disk = copy_of(log.disk);
    disk.put(name, torn);
    CHECK(problems_of(disk) == 1);
    const auto node = start(disk, log.options);
    CHECK(node.group_last(group_a) == log.last - 2);
    REQUIRE(node.found.warnings.size() == 1);
    CHECK(node.found.warnings[0].find(" " + std::to_string(offsets.back() - before) + " bytes")
          != std::string::npos);
    const auto repaired = disk.content(name);
    const auto live_end = batch_offsets(repaired, log.newest()).back();
    CHECK(std::all_of(repaired.begin() + static_cast<ptrdiff_t>(live_end),
                      repaired.begin() + static_cast<ptrdiff_t>(offsets.back()),
                      [](std::byte x) { return x == std::byte{0}; }));
  }

  TEST_CASE("every flipped bit of a recycled segment is reported (E-09)") {
    const recycled_segment last;
    for (uint64_t bit = 0; bit < last.end() * 8; ++bit) {
      if (bit == segment_header_used * 8)
        bit = segment_header_bytes * 8;
      CAPTURE(bit / 8);
      auto flipped = last.whole;
      flipped[bit / 8] ^= std::byte{1} << (bit % 8);
      auto disk = last.with(std::move(flipped));
      REQUIRE(problems_of(disk) >= 1);
      auto node = try_start(disk, last.log.options);
      if (!node) {
        REQUIRE(bit / 8 < last.last_batch());
        REQUIRE(mentions(node.reason(), last.name));
        continue;
      }
      REQUIRE(node->found.warnings.size() == 1);
      const auto& group = node->group(group_a);
      if (bit / 8 < last.last_batch()) {
        REQUIRE((group.damaged || group.last == index_t{last.log.last}));
        continue;
      }
      const auto& told = node->found.warnings.front();
      REQUIRE(told.find("torn tail: ") == 0);
      REQUIRE(told.find(last.name + " at offset " + std::to_string(last.last_batch()) + ": "
                        + std::to_string(last.end() - last.last_batch()) + " bytes")
              != std::string::npos);
      REQUIRE(told.find("group-10 ends at " + std::to_string(last.log.last - 1))
              != std::string::npos);
      REQUIRE(group.last == index_t{last.log.last - 1});
    }
  }

  TEST_CASE("E-05 a spare is room on a full disk") {
    recycling_log log;
    for (int i = 0; i < 3; ++i)
      log.begin_next();
    log.shorten(); // Two spares.
    log.disk.on_call([](const disk_call& x) -> std::optional<error> {
      if (x.kind != disk_call::kind::allocate)
        return std::nullopt;
      return error{errc::no_space, "cannot allocate " + std::string{x.name}};
    });
    for (int i = 0; i < 2; ++i) {
      REQUIRE(log.node.log->reserve().ok());
      log.begin_next();
    }
    CHECK(log.node.log->reserve().reason().code == errc::no_space);
    CHECK_FALSE(log.node.log->is_fenced());
    log.shorten(); // What it gives up is all the room that is missing.
    CHECK(log.node.log->reserve().ok());
    log.kill();
    log.disk.on_call({});
    CHECK(start(log.disk, log.options).group_last(group_a) == log.last);
  }

  TEST_CASE("E-05 what is larger than a spare gets the blocks of the others") {
    recycling_log log;
    for (int i = 0; i < 3; ++i)
      log.begin_next();
    log.shorten(); // Two spares.
    bool is_removed = false;
    log.disk.on_call([&](const disk_call& x) -> std::optional<error> {
      is_removed = is_removed || (x.kind == disk_call::kind::remove && x.name.ends_with(".tmp"));
      if (x.kind != disk_call::kind::allocate || is_removed)
        return std::nullopt;
      return error{errc::no_space, "cannot allocate " + std::string{x.name}};
    });
    ++log.last;
    log.node.put(group_a, entries(log.last, log.last, 1, std::string(40 << 10, 'x')));
    CHECK(is_removed);
    CHECK(unfinished_of(log.disk) == 0);
    log.disk.on_call({});
    log.node = restart(log.disk, std::move(log.node), log.options);
    CHECK(log.node.group_last(group_a) == log.last);
  }

  TEST_CASE("E-05 a spare that can't be opened for now is waited for") {
    recycling_log log;
    for (int i = 0; i < 3; ++i)
      log.begin_next();
    log.shorten();
    log.disk.on_call([](const disk_call& x) -> std::optional<error> {
      if (x.kind != disk_call::kind::open)
        return std::nullopt;
      return error{errc::no_space, "too many files are open"};
    });
    for (int i = 0; i < 2; ++i)
      CHECK(log.node.log->reserve().reason().code == errc::no_space);
    log.disk.on_call({});
    REQUIRE(log.node.log->reserve().ok());
    log.begin_next();
    CHECK(header_of(log.disk, log.newest()).recycled_from == 1);
  }

  TEST_CASE("a spare that somebody removed is missed by nobody") {
    recycling_log log;
    for (int i = 0; i < 3; ++i)
      log.begin_next();
    log.shorten();
    log.disk.erase(segment_name(1) + ".tmp");
    log.begin_next();
    CHECK(header_of(log.disk, log.newest()).recycled_from == 2);
    log.disk.erase(segment_name(2) + ".tmp");
    log.begin_next();
    CHECK(header_of(log.disk, log.newest()).recycled_from == 0);
  }

  TEST_CASE("a segment that can't be kept as a spare is removed") {
    recycling_log log;
    log.begin_next();
    log.disk.on_call([](const disk_call& x) -> std::optional<error> {
      if (x.kind != disk_call::kind::rename)
        return std::nullopt;
      return error{errc::io_failed, "cannot rename " + std::string{x.name}};
    });
    log.shorten();
    CHECK(segments_of(log.disk).size() == 1);
    CHECK(unfinished_of(log.disk) == 0);
    CHECK_FALSE(log.node.log->is_fenced());
  }
}
