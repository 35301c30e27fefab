#include "tests/support/forwarding_directory.hpp"
#include "tests/unit/persistence/snapshot_fixture.hpp"

using namespace caucus;
using namespace caucus::testing;
using namespace caucus::persistence;

namespace {

/// Whether these bytes are refused as damaged, with a reason that names file and offset.
bool is_refused_as_damaged(const snapshot_name& name, snapshot_bytes bytes) {
  const auto read = read_bytes(name, std::move(bytes));
  return !read && read.reason().code == errc::malformed && says(read.reason(), file_name(name))
         && says(read.reason(), "at offset ");
}

/// A file that loses half of whatever is read, once it was opened.
class shrinking_file final : public file {
public:
  explicit shrinking_file(std::unique_ptr<file> real) : real_{std::move(real)} {}
  result<size_t> read_at(uint64_t offset, std::span<std::byte> into) override {
    auto done = real_->read_at(offset, into);
    return ++reads_ <= 3 ? done : result<size_t>{*done / 2};
  }
  result<void> write_at(uint64_t, std::span<const std::byte>) override { return {}; }
  result<void> sync() override { return {}; }
  result<void> allocate(uint64_t) override { return {}; }
  result<uint64_t> size() override { return real_->size(); }

private:
  std::unique_ptr<file> real_;
  int reads_ = 0;
};

class shrinking_directory final : public forwarding_directory {
public:
  using forwarding_directory::forwarding_directory;

  result<std::unique_ptr<file>> open(std::string_view name) override {
    return std::unique_ptr<file>{
      std::make_unique<shrinking_file>(*forwarding_directory::open(name))};
  }
};

} // namespace

TEST_SUITE("persistence/snapshot_file") {

  TEST_CASE("what was written is read back, whatever the sizes of content and pieces") {
    for (const uint32_t chunk : {64U, 4096U, uint32_t{256} << 10}) {
      for (const size_t size : {size_t{0}, size_t{1}, chunk - size_t{1}, size_t{chunk},
                                chunk + size_t{1}, 3 * size_t{chunk}, size_t{300'000}}) {
        for (const size_t piece : {size_t{977}, size_t{1} << 20}) {
          CAPTURE(chunk);
          CAPTURE(size);
          memory_disk disk;
          auto dir = *disk.open();
          auto header = header_at(5);
          header.chunk_bytes = chunk;
          const auto content = content_of(size);
          const auto offer = try_write(*dir, header, content, piece);
          REQUIRE(offer.ok());
          CHECK(disk.names() == std::vector{file_name(header.name())});
          auto reader = *snapshot_reader::open(*dir, header.name());
          CHECK(reader.offer() == *offer);
          CHECK(offer->file_bytes == disk.content(file_name(header.name())).size());
          CHECK(reader.content_bytes() == size);
          CHECK(reader.verify().ok());
          CHECK(*read_all(reader) == content);
        }
      }
    }
  }

  TEST_CASE("several MiB in chunks of the default size") {
    memory_disk disk;
    auto dir = *disk.open();
    auto header = header_at(5);
    header.chunk_bytes = snapshot_header{}.chunk_bytes;
    const auto content = content_of((size_t{5} << 20) + 3);
    REQUIRE(try_write(*dir, header, content, 100'000).ok());
    auto reader = *snapshot_reader::open(*dir, header.name());
    CHECK(reader.chunks() == 21);
    snapshot_bytes read(content.size() + 100);
    size_t at = 0;
    while (true) {
      const auto count =
        *reader.read(std::span{read}.subspan(at, std::min(size_t{70'001}, read.size() - at)));
      if (count == 0)
        break;
      at += count;
    }
    read.resize(at);
    CHECK(read == content);
  }

  TEST_CASE("of a large snapshot little is under way to the disk at a time, and few syncs do") {
    memory_disk disk;
    uint64_t written = 0;
    uint64_t awaited = 0; // By a sync, too.
    uint64_t synced = 0;
    uint64_t most_under_way = 0;
    uint64_t most_unsynced = 0;
    uint64_t waits = 0;
    uint64_t syncs = 0;
    disk.on_call([&](const disk_call& call) -> std::optional<error> {
      if (call.kind == disk_call::kind::write) {
        written = call.offset + call.bytes.size();
        most_under_way = std::max(most_under_way, written - awaited);
        most_unsynced = std::max(most_unsynced, written - synced);
      } else if (call.kind == disk_call::kind::await) {
        CHECK(call.offset == awaited);
        awaited += call.size;
        CHECK(awaited < written); // Else the disk would have nothing to do.
        ++waits;
      } else if (call.kind == disk_call::kind::sync) {
        awaited = synced = written;
        ++syncs;
      }
      return std::nullopt;
    });
    const uint64_t mib = 1 << 20;
    auto header = header_at(7);
    header.chunk_bytes = 256 << 10;
    const auto content = content_of(40 * mib);
    auto dir = *disk.open();
    for (const bool is_received : {false, true}) {
      CAPTURE(is_received);
      written = awaited = synced = most_under_way = most_unsynced = waits = syncs = 0;
      if (is_received) // What a peer sends is written out alike.
        REQUIRE(receive(*dir, header, content, 100'000).ok());
      else
        REQUIRE(try_write(*dir, header, content, 100'000).ok());
      CHECK(most_under_way <= mib / 2 + 2 * header.chunk_bytes);
      CHECK(most_unsynced <= 32 * mib + 2 * header.chunk_bytes);
      CHECK(waits >= 75);
      CHECK(syncs == 2);
    }
  }

  TEST_CASE("every flipped bit is noticed, and named with file and offset (E-11)") {
    const auto name = header_at(5).name();
    const auto sound = encoded_snapshot(header_at(5), content_of(150));
    REQUIRE(read_bytes(name, sound).ok());
    for (size_t i = 0; i < sound.size(); ++i)
      for (int bit = 0; bit < 8; ++bit) {
        auto flipped = sound;
        flipped[i] ^= static_cast<std::byte>(1 << bit);
        CAPTURE(i);
        CAPTURE(bit);
        REQUIRE(is_refused_as_damaged(name, std::move(flipped)));
      }
  }

  TEST_CASE("a file cut at any byte, or with more behind, is refused when it is opened") {
    const auto name = header_at(5).name();
    const auto sound = encoded_snapshot(header_at(5), content_of(150));
    for (size_t size = 0; size < sound.size() + 300; ++size) {
      if (size == sound.size())
        continue;
      auto bytes = sound;
      bytes.resize(size);
      CAPTURE(size);
      memory_disk disk;
      disk.put(file_name(name), std::move(bytes));
      const auto refused = snapshot_reader::open(**disk.open(), name);
      REQUIRE_FALSE(refused.ok());
      REQUIRE(refused.reason().code == errc::malformed);
    }
  }

  TEST_CASE("a sector that is torn back to zeros or to another file's is noticed") {
    auto header = header_at(5);
    header.chunk_bytes = 1000;
    auto other = header;
    other.uid = snapshot_uid{0x52};
    const auto content = content_of(5000);
    const auto sound = encoded_snapshot(header, content);
    // The same content and boundary, made by somebody else: all but the checksums is the same.
    const auto others = encoded_snapshot(other, content);
    for (size_t from = 0; from < sound.size(); from += 512) {
      const auto size = std::min(size_t{512}, sound.size() - from);
      const auto at = static_cast<ptrdiff_t>(from);
      auto zeroed = sound;
      std::fill_n(zeroed.begin() + at, size, std::byte{0});
      CHECK(is_refused_as_damaged(header.name(), std::move(zeroed)));
      auto mixed = sound;
      std::copy_n(others.begin() + at, size, mixed.begin() + at);
      if (mixed != sound)
        CHECK(is_refused_as_damaged(header.name(), std::move(mixed)));
    }
  }

  TEST_CASE("chunks of the same snapshot at each other's place are noticed (N-03)") {
    const auto header = header_at(5);
    const auto sound = encoded_snapshot(header, snapshot_bytes(4 * 64, std::byte{7}));
    const auto layout = *snapshot_layout::of_file(encode(header), sound.size());
    for (uint64_t to = 0; to < 4; ++to)
      for (uint64_t from = 0; from < 4; ++from) {
        auto mixed = sound;
        std::copy_n(sound.begin() + static_cast<ptrdiff_t>(layout.chunk_offset(from)),
                    layout.chunk_size(from),
                    mixed.begin() + static_cast<ptrdiff_t>(layout.chunk_offset(to)));
        CHECK(is_refused_as_damaged(header.name(), std::move(mixed)) == (from != to));
      }
  }

  TEST_CASE("a file of another snapshot's name is refused") {
    const auto bytes = encoded_snapshot(header_at(5), content_of(9));
    for (const auto& other : {header_at(6).name(), header_at(5, 0xb).name()}) {
      const auto refused = read_bytes(other, bytes);
      REQUIRE_FALSE(refused.ok());
      CHECK(says(refused.reason(), "it says that it is " + file_name(header_at(5).name())));
    }
  }

  TEST_CASE("nothing of a damaged chunk is handed out, and all before it is") {
    memory_disk disk;
    auto dir = *disk.open();
    const auto header = header_at(5);
    const auto content = content_of(200);
    REQUIRE(try_write(*dir, header, content).ok());
    const auto size = disk.content(file_name(header.name())).size();
    const auto layout = *snapshot_layout::of_file(encode(header), size);
    const snapshot_bytes rotten(1, ~content[64]);
    disk.overwrite(file_name(header.name()), layout.chunk_offset(1) + 16, rotten);
    auto reader = *snapshot_reader::open(*dir, header.name());
    snapshot_bytes into(200);
    const auto read = reader.read(into);
    REQUIRE_FALSE(read.ok());
    CHECK(says(read.reason(), "offset " + std::to_string(layout.chunk_offset(1))));
    CHECK_FALSE(reader.verify().ok());
    CHECK(reader.next()->size() == 64);
    CHECK_FALSE(reader.next().ok());
    CHECK_FALSE(reader.next().ok());
  }

  TEST_CASE("a reader goes on with its file when that is removed or replaced (N-05)") {
    memory_disk disk;
    auto dir = *disk.open();
    const auto content = content_of(500);
    REQUIRE(try_write(*dir, header_at(5), content).ok());
    auto reader = *snapshot_reader::open(*dir, header_at(5).name());
    REQUIRE(try_write(*dir, header_at(5, 0xa, 0x99), content_of(90, 2)).ok());
    CHECK(*read_all(reader) == content);
    REQUIRE(dir->remove(file_name(header_at(5).name())).ok());
    reader.rewind();
    CHECK(*read_all(reader) == content);
    snapshot_bytes raw(reader.offer().file_bytes);
    REQUIRE(reader.read_raw(0, raw).ok());
    CHECK(raw == encoded_snapshot(header_at(5), content));
  }

  TEST_CASE("a file that became shorter is an error for a sender, not an end (S-56)") {
    memory_disk disk;
    auto dir = *disk.open();
    REQUIRE(try_write(*dir, header_at(5), content_of(500)).ok());
    shrinking_directory shrunk{*dir};
    auto shorter = *snapshot_reader::open(shrunk, header_at(5).name());
    snapshot_bytes raw(100);
    const auto failed = shorter.read_raw(200, raw);
    REQUIRE_FALSE(failed.ok());
    CHECK(says(failed.reason(), "at offset 250: the file ends here"));
    CHECK_FALSE(shorter.next().ok());
  }

} // TEST_SUITE
