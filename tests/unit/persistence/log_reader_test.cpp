#include "persistence/log_reader.hpp"

#include "base/rng.hpp"
#include "persistence/batch_buffer.hpp"
#include "persistence/segment_header.hpp"
#include "tests/unit/persistence/wal_fixture.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

using namespace caucus;
using namespace caucus::testing;

namespace {

constexpr size_t unbounded = size_t{1} << 30;

/// Files of another directory, to read.
class counting_directory final : public persistence::directory {
public:
  explicit counting_directory(persistence::directory& whole) : whole_{whole} {}

  [[nodiscard]] uint64_t bytes_read() const { return bytes_read_; }

  std::string path() const override { return whole_.path(); }
  result<std::vector<std::string>> list() override { return whole_.list(); }
  result<std::unique_ptr<persistence::file>> open(std::string_view name) override {
    auto opened = whole_.open(name);
    if (!opened)
      return opened;
    return std::unique_ptr<persistence::file>{
      std::make_unique<counting_file>(*std::move(opened), bytes_read_)};
  }
  result<std::unique_ptr<persistence::file>> create(std::string_view) override { return refused(); }
  result<void> rename(std::string_view, std::string_view) override { return refused(); }
  result<void> remove(std::string_view) override { return refused(); }
  result<void> sync() override { return refused(); }

private:
  static error refused() { return {errc::io_failed, "only reading is meant"}; }

  class counting_file final : public persistence::file {
  public:
    counting_file(std::unique_ptr<persistence::file> whole, uint64_t& bytes)
      : whole_{std::move(whole)}, bytes_{bytes} {}
    result<size_t> read_at(uint64_t offset, std::span<std::byte> into) override {
      bytes_ += into.size();
      return whole_->read_at(offset, into);
    }
    result<void> write_at(uint64_t, std::span<const std::byte>) override { return refused(); }
    result<void> sync() override { return refused(); }
    result<void> allocate(uint64_t) override { return refused(); }
    result<uint64_t> size() override { return whole_->size(); }

  private:
    std::unique_ptr<persistence::file> whole_;
    uint64_t& bytes_;
  };

  persistence::directory& whole_;
  uint64_t bytes_read_ = 0;
};

} // namespace

TEST_SUITE("persistence/log_reader") {

  TEST_CASE("gives what was asked, bounded by bytes but never nothing") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(descriptor(group_a));
    node.put(group_a, entries(1, 50, 1, std::string(100, 'x')));
    auto& reader = *node.log->reader();
    CHECK(ids(*reader.read(group_a, index_t{7}, index_t{9}, unbounded)) == "7@1 8@1 9@1");
    CHECK(ids(*reader.read(group_a, index_t{7}, index_t{9}, 0)) == "7@1");
    CHECK(ids(*reader.read(group_a, index_t{7}, index_t{9}, 450)) == "7@1 8@1");
    CHECK(reader.read(group_a, index_t{48}, index_t{90}, unbounded)->size() == 3);
    CHECK(is_same(*reader.read(group_a, index_t{33}, index_t{33}, 1)->front(),
                  *make_entry(33, 1, std::string(100, 'x'))));
  }

  TEST_CASE("entries without payload count too, or an append of them would fit into no frame") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(descriptor(group_a));
    node.put(group_a, entries(1, 50, 1, ""));
    const auto some = *node.log->reader()->read(group_a, index_t{1}, index_t{50}, 1000);
    CHECK(some.size() == 1000 / some.front()->cost());
  }

  TEST_CASE("says what it does not have") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(descriptor(group_a));
    node.put(group_a, entries(1, 5, 1));
    auto& reader = *node.log->reader();
    CHECK(reader.read(group_a, index_t{6}, index_t{9}, 1).reason().code == errc::not_found);
    CHECK(reader.read(group_a, index_t{0}, index_t{2}, 1).reason().code == errc::not_found);
    CHECK(reader.read(group_b, index_t{1}, index_t{2}, 1).reason().code == errc::no_such_group);
  }

  TEST_CASE("entries are there when their commit has returned, not before") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(descriptor(group_a));
    node.commit();
    auto& reader = *node.log->reader();
    node.log->add(group_a, entries(1, 1, 1));
    CHECK(reader.read(group_a, index_t{1}, index_t{1}, 1).reason().code == errc::not_found);
    node.commit(false);
    CHECK(reader.read(group_a, index_t{1}, index_t{1}, 1).ok());
  }

  TEST_CASE("never gives an overwritten entry, across rows, batches and segments") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(descriptor(group_a));
    node.log->add(descriptor(group_b));
    std::vector<raft::entry_ptr> expected;
    rng random{5};
    uint64_t term = 1;
    for (int round = 0; round < 500; ++round) {
      raft::persist_batch batch;
      if (random.chance(20)) {
        batch.truncate_from = index_t{1 + random.below(expected.size() + 1)};
        expected.resize(std::min<size_t>(expected.size(), batch.truncate_from->value() - 1));
        ++term;
      }
      for (auto count = random.below(20); count > 0; --count) {
        batch.entries.push_back(
          make_entry(expected.size() + 1, term, std::string(1 + random.below(3000), 'e')));
        expected.push_back(batch.entries.back());
      }
      node.log->add(group_a, batch);
      node.log->add(group_b, entries(static_cast<uint64_t>(round) + 1,
                                     static_cast<uint64_t>(round) + 1, 1, std::string(500, 'b')));
      if (random.chance(50))
        node.commit();
    }
    node.commit();
    for (int life = 0; life < 2; ++life) {
      auto& reader = *node.log->reader();
      for (uint64_t first = 1; first <= expected.size(); first += 1 + random.below(5)) {
        const auto last = std::min<uint64_t>(expected.size(), first + random.below(200));
        auto read = reader.read(group_a, index_t{first}, index_t{last}, unbounded);
        REQUIRE(read.ok());
        REQUIRE(read->size() == last - first + 1);
        for (size_t i = 0; i < read->size(); ++i)
          REQUIRE(is_same(*(*read)[i], *expected[first - 1 + i]));
      }
      node = restart(disk, std::move(node)); // The same from the index that recovery builds.
    }
  }

  TEST_CASE("reads beside the writer see each index with a term that it had") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(descriptor(group_a));
    node.put(group_a, entries(1, 20, 1));
    std::atomic<bool> is_done{false};
    std::atomic<uint64_t> seen{0};
    std::atomic<uint64_t> wrong{0};
    std::thread other{[&, reader = node.log->reader()] {
      while (!is_done) {
        auto read = reader->read(group_a, index_t{1}, index_t{1000}, unbounded);
        if (!read) {
          wrong += read.reason().code == errc::not_found ? 0 : 1;
          continue;
        }
        for (size_t i = 0; i < read->size(); ++i) {
          const auto& x = *(*read)[i];
          const bool is_next =
            x.id.index.value() == i + 1 && (i == 0 || (*read)[i - 1]->id.term <= x.id.term);
          wrong +=
            is_next && x.body.payload.view().ends_with("@" + std::to_string(x.id.term.value())) ? 0
                                                                                                : 1;
        }
        ++seen;
      }
    }};
    for (uint64_t term = 2; term < 400 || seen < 20; ++term) {
      auto batch = entries(1 + term % 20, 20 + term % 7, term);
      batch.truncate_from = index_t{1 + term % 20};
      node.put(group_a, batch);
    }
    is_done = true;
    other.join();
    CHECK(wrong == 0);
  }

  TEST_CASE("rot under an entry that is read later is an error, not an entry (E-10)") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(descriptor(group_a));
    node.commit();
    node.put(group_a, entries(1, 3, 1, std::string(300, 'x')));
    const auto content = disk.content(first_segment);
    uint64_t reported = 0;
    for (uint64_t offset = persistence::segment_header_bytes; offset < content.size(); ++offset) {
      if (content[offset] == std::byte{0} && content[offset - 1] == std::byte{0})
        continue;
      const auto flipped = content[offset] ^ std::byte{2};
      disk.overwrite(first_segment, offset, std::span<const std::byte>{&flipped, 1});
      auto read = node.log->reader()->read(group_a, index_t{1}, index_t{3}, unbounded);
      if (read) {
        REQUIRE(read->size() == 3);
        for (size_t i = 0; i < 3; ++i)
          REQUIRE(is_same(*(*read)[i], *make_entry(i + 1, 1, std::string(300, 'x'))));
      } else {
        REQUIRE(read.reason().code == errc::wal_corrupt);
        REQUIRE(read.reason().what.find(first_segment) != std::string::npos);
        ++reported;
      }
      disk.overwrite(first_segment, offset, std::span<const std::byte>{&content[offset], 1});
    }
    CHECK(reported > 900);
  }

  TEST_CASE("a sound record of another entry at this place is refused (E-13)") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(descriptor(group_a));
    node.commit();
    const auto content = disk.content(first_segment);
    auto offset = persistence::segment_header_bytes;
    while (const auto header = persistence::decode_batch_header(std::span{content}.subspan(offset),
                                                                {directory_id{0xd1}, 1, offset}))
      offset += header->bytes;
    node.put(group_a, entries(1, 3, 5));
    const auto write = [&](group_id group, uint64_t uid, const raft::persist_batch& other) {
      persistence::batch_buffer buffer;
      buffer.add_entries(group, replica_uid{uid}, other.entries);
      persistence::batch_header header;
      header.number = 3;
      header.epoch = boot_count{1};
      disk.overwrite(first_segment, offset, buffer.seal(header, {directory_id{0xd1}, 1, offset}));
      return node.log->reader()->read(group_a, index_t{1}, index_t{3}, unbounded);
    };
    CHECK(write(group_a, 7, entries(1, 3, 5)).ok());
    CHECK(write(group_a, 7, entries(1, 3, 4)).reason().code == errc::wal_corrupt);  // Term.
    CHECK(write(group_a, 7, entries(2, 4, 5)).reason().code == errc::wal_corrupt);  // Index.
    CHECK(write(group_a, 99, entries(1, 3, 5)).reason().code == errc::wal_corrupt); // Replica.
    CHECK(write(group_b, 7, entries(1, 3, 5)).reason().code == errc::wal_corrupt);  // Group.
  }

  TEST_CASE("few index rows cover a long log, and open files are bounded") {
    memory_disk disk;
    auto node = start(disk);
    node.log->add(descriptor(group_a));
    for (uint64_t i = 1; i <= 4000; i += 2)
      node.put(group_a, entries(i, i + 1, 1, std::string(300, 'x')));
    CHECK(disk.names().size() > 20); // More files than are kept open.
    auto& reader = *node.log->reader();
    for (uint64_t i = 1; i <= 4000; i += 37)
      REQUIRE(reader.read(group_a, index_t{i}, index_t{i}, 1)->front()->id.index == index_t{i});
  }

  TEST_CASE("of a log that many groups share little more is read than one group's entries") {
    memory_disk disk;
    auto options = small_options();
    options.segment_bytes = 4 << 20;
    auto node = start(disk, options);
    constexpr uint64_t groups = 100;
    constexpr uint64_t rounds = 64;
    constexpr size_t payload_bytes = 300;
    for (uint64_t group = 1; group <= groups; ++group)
      node.log->add(descriptor(group_id{group}));
    for (uint64_t i = 1; i <= rounds; ++i) {
      for (uint64_t group = 1; group <= groups; ++group)
        node.log->add(group_id{group}, entries(i, i, 1, std::string(payload_bytes, 'x')));
      node.commit();
    }
    const auto whole = node.log->reader();
    counting_directory dir{*node.dir};
    const std::shared_ptr<const persistence::log_index> index{whole, &whole->index()};
    persistence::log_reader reader{dir, index, uint64_t{1} << 20};
    const auto read = reader.read(group_id{50}, index_t{1}, index_t{rounds}, unbounded);
    REQUIRE(read.ok());
    CHECK(read->size() == rounds);
    CHECK(dir.bytes_read() <= rounds * 4096); // Not the whole log, which is nine times as long.
  }

  TEST_CASE("reads and writes beyond 4 GiB (W-12, S-48)") {
    // Only the offsets matter: a file that shows a small disk's bytes 5 GiB further on.
    constexpr uint64_t far = uint64_t{5} << 30;
    class far_file final : public persistence::file {
    public:
      explicit far_file(std::vector<std::byte>& near) : near_{near} {}
      result<size_t> read_at(uint64_t offset, std::span<std::byte> into) override {
        const auto begin = offset - far;
        const auto size = std::min<uint64_t>(into.size(), near_.size() - begin);
        std::copy_n(near_.begin() + static_cast<ptrdiff_t>(begin), size, into.begin());
        return static_cast<size_t>(size);
      }
      result<void> write_at(uint64_t, std::span<const std::byte>) override { return {}; }
      result<void> sync() override { return {}; }
      result<void> allocate(uint64_t) override { return {}; }
      result<uint64_t> size() override { return far + near_.size(); }

    private:
      std::vector<std::byte>& near_;
    };
    class far_directory final : public persistence::directory {
    public:
      explicit far_directory(std::vector<std::byte>& near) : near_{near} {}
      std::string path() const override { return "far"; }
      result<std::vector<std::string>> list() override { return std::vector<std::string>{}; }
      result<std::unique_ptr<persistence::file>> open(std::string_view) override {
        return std::unique_ptr<persistence::file>{std::make_unique<far_file>(near_)};
      }
      result<std::unique_ptr<persistence::file>> create(std::string_view name) override {
        return open(name);
      }
      result<void> rename(std::string_view, std::string_view) override { return {}; }
      result<void> remove(std::string_view) override { return {}; }
      result<void> sync() override { return {}; }

    private:
      std::vector<std::byte>& near_;
    };
    persistence::batch_buffer buffer;
    const auto written = entries(1, 3, 1);
    persistence::log_changes changes;
    changes.create(group_a, replica_uid{7});
    changes.append(group_a, buffer.add_entries(group_a, replica_uid{7}, written.entries), 100);
    for (const auto& x : written.entries)
      changes.extend(x->id);
    persistence::batch_header header;
    header.number = 1;
    const auto batch = buffer.seal(header, {directory_id{0xd1}, 1, far});
    std::vector<std::byte> near{batch.begin(), batch.end()};
    auto index = std::make_shared<persistence::log_index>();
    index->apply(changes, {1, far});
    far_directory dir{near};
    persistence::log_reader reader{dir, index, 1 << 20};
    auto read = reader.read(group_a, index_t{2}, index_t{3}, unbounded);
    REQUIRE(read.ok());
    CHECK(ids(*read) == "2@1 3@1");
  }

} // TEST_SUITE
