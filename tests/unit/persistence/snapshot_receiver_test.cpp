#include "tests/unit/persistence/snapshot_fixture.hpp"

#include <cstring>

using namespace caucus;
using namespace caucus::testing;
using namespace caucus::persistence;

namespace {

struct transfer {
  memory_disk disk;
  std::unique_ptr<directory> dir = *disk.open();
  snapshot_header header = header_at(5);
  snapshot_bytes content = content_of(320); // Five whole chunks.
  snapshot_bytes file = encoded_snapshot(header, content);
  snapshot_offer offer{header.identity(), file.size()};
  snapshot_receiver receiver = *snapshot_receiver::create(*dir, offer);
  snapshot_layout layout = *snapshot_layout::of_file(encode(header), file.size());

  [[nodiscard]] std::span<const std::byte> part(uint64_t begin, uint64_t end) const {
    return std::span{file}.subspan(begin, end - begin);
  }
  [[nodiscard]] std::span<const std::byte> chunk(uint64_t number) const {
    return part(layout.chunk_offset(number), layout.chunk_offset(number + 1));
  }
  result<void> take_up_to(uint64_t end) {
    return receiver.take(receiver.resume_at(), part(receiver.resume_at(), end));
  }
  void finish() {
    REQUIRE(take_up_to(file.size()).ok());
    REQUIRE(receiver.is_complete());
    REQUIRE(receiver.publish().ok());
    CHECK(disk.content(file_name(header.name())) == file);
    CHECK(disk.names().size() == 1);
    CHECK(*read_file(*dir, header.name()) == content);
  }
};

} // namespace

TEST_SUITE("persistence/snapshot_receiver") {

  TEST_CASE("the same bytes arrive, whatever the pieces and the content (S-57)") {
    for (const size_t size : {0, 1, 63, 64, 65, 128, 1000})
      for (const size_t piece : {1, 7, 15, 16, 17, 80, 81, 5000}) {
        CAPTURE(size);
        CAPTURE(piece);
        memory_disk disk;
        auto dir = *disk.open();
        const auto file = encoded_snapshot(header_at(5), content_of(size));
        auto receiver = *snapshot_receiver::create(*dir, {header_at(5).identity(), file.size()});
        while (!receiver.is_complete()) {
          const auto at = receiver.resume_at();
          REQUIRE(at < file.size());
          const auto rest = std::span{file}.subspan(at);
          REQUIRE(receiver.take(at, rest.first(std::min(piece, rest.size()))).ok());
        }
        REQUIRE(receiver.publish().ok());
        CHECK(disk.content(file_name(header_at(5).name())) == file);
        CHECK(*read_file(*dir, header_at(5).name()) == content_of(size));
      }
  }

  TEST_CASE("a lost, repeated or reordered piece is refused, and nothing has changed (N-03)") {
    transfer x;
    REQUIRE(x.take_up_to(200).ok());
    for (const uint64_t wrong : {0, 199, 201, 300}) {
      const auto refused = x.receiver.take(wrong, x.part(wrong, wrong + 20));
      REQUIRE_FALSE(refused.ok());
      CHECK(refused.reason().code == errc::invalid_argument);
      CHECK(x.receiver.resume_at() == 200);
    }
    x.finish();
  }

  TEST_CASE("more bytes than were offered are refused") {
    transfer x;
    auto longer = x.file;
    longer.push_back(std::byte{0});
    CHECK(x.receiver.take(0, longer).reason().code == errc::invalid_argument);
    x.finish();
  }

  TEST_CASE("any flipped bit is refused before it is kept, and a sound part can follow (N-03)") {
    transfer x;
    for (uint64_t i = 0; i < x.file.size(); ++i)
      for (int bit = 0; bit < 8; ++bit) {
        CAPTURE(i);
        memory_disk disk;
        auto dir = *disk.open();
        auto receiver = *snapshot_receiver::create(*dir, x.offer);
        auto file = x.file;
        file[i] ^= static_cast<std::byte>(1 << bit);
        const auto refused = receiver.take(0, file);
        REQUIRE_FALSE(refused.ok());
        REQUIRE(refused.reason().code == errc::malformed);
        REQUIRE_FALSE(receiver.is_complete());
        const auto at = receiver.resume_at();
        // The part that it is in comes again, and no more: they have 80 bytes each.
        const auto first_chunk = x.layout.chunk_offset(0);
        REQUIRE(at == (i < first_chunk ? 0 : i - (i - first_chunk) % 80));
        REQUIRE(receiver.take(at, std::span{x.file}.subspan(at)).ok());
        REQUIRE(receiver.publish().ok());
        REQUIRE(disk.content(file_name(x.header.name())) == x.file);
      }
  }

  TEST_CASE(
    "a chunk of another snapshot or place is refused, also with the same bytes in it (N-03)") {
    transfer x;
    auto other_header = x.header;
    other_header.uid = snapshot_uid{0x52};
    const auto other = encoded_snapshot(other_header, x.content);
    const auto at = x.layout.chunk_offset(1);
    REQUIRE(x.take_up_to(at).ok());
    // The same boundary and content, made on another node: the leader changed in between.
    const auto others = std::span<const std::byte>{other}.subspan(at, x.chunk(1).size());
    CHECK(std::equal(others.begin() + 16, others.end(), x.chunk(1).begin() + 16));
    CHECK(x.receiver.take(at, others).reason().code == errc::malformed);
    CHECK(x.receiver.take(at, x.chunk(0)).reason().code == errc::malformed);
    CHECK(x.receiver.take(at, x.chunk(2)).reason().code == errc::malformed);
    CHECK(x.receiver.resume_at() == at);
    x.finish();
  }

  TEST_CASE("only what was offered is taken: group, boundary, uid, cluster and size") {
    transfer x;
    auto other_cluster = x.header;
    other_cluster.cluster = cluster_id{9};
    for (const auto& other :
         {header_at(6), header_at(5, 0xb), header_at(5, 0xa, 0x99), other_cluster}) {
      const auto file = encoded_snapshot(other, x.content);
      REQUIRE(file.size() == x.file.size());
      CHECK(x.receiver.take(0, file).reason().code == errc::identity_mismatch);
      CHECK(x.receiver.resume_at() == 0);
      CHECK_FALSE(x.receiver.is_of({other.identity(), file.size()}));
    }
    CHECK(x.receiver.is_of(x.offer));
    CHECK_FALSE(x.receiver.is_of({x.offer.identity, x.offer.file_bytes + 1}));
    x.finish();
  }

  TEST_CASE("a shortened snapshot is never complete (N-05, S-56)") {
    const auto whole = encoded_snapshot(header_at(5), content_of(300));
    // As if the sender's file had ended early and it had said so in its offer.
    for (uint64_t size = 48; size < whole.size(); ++size) {
      CAPTURE(size);
      memory_disk disk;
      auto dir = *disk.open();
      auto receiver = *snapshot_receiver::create(*dir, {header_at(5).identity(), size});
      const auto refused = receiver.take(0, std::span{whole}.first(size));
      REQUIRE_FALSE(refused.ok());
      REQUIRE(refused.reason().code == errc::malformed);
      REQUIRE_FALSE(receiver.is_complete());
    }
    memory_disk disk;
    auto dir = *disk.open();
    CHECK_FALSE(snapshot_receiver::create(*dir, {header_at(5).identity(), 47}).ok());
    CHECK(disk.names().empty());
  }

  TEST_CASE("sound parts with a wrong whole begin again from the first byte") {
    transfer x;
    const auto trailer = x.layout.make_trailer(0x12345678);
    REQUIRE(x.take_up_to(x.layout.trailer_offset()).ok());
    const auto refused = x.receiver.take(x.layout.trailer_offset(), trailer);
    REQUIRE_FALSE(refused.ok());
    CHECK(says(refused.reason(), "whole content"));
    CHECK(x.receiver.resume_at() == 0);
    x.finish();
    // A reader notices the same, also where there is no chunk.
    for (const size_t size : {0, 320}) {
      auto file = encoded_snapshot(x.header, content_of(size));
      const auto layout = *snapshot_layout::of_file(encode(x.header), file.size());
      const auto other = layout.make_trailer(0x12345678);
      std::copy(other.begin(), other.end(), file.end() - 32);
      memory_disk disk;
      disk.put(file_name(x.header.name()), file);
      auto dir = *disk.open();
      auto reader = *snapshot_reader::open(*dir, x.header.name());
      // Who asks for as much as there is has no reason to ask again.
      snapshot_bytes into(size);
      CHECK(reader.read(into).ok() == (size == 0));
      reader.rewind();
      const auto read = read_all(reader);
      REQUIRE_FALSE(read.ok());
      CHECK(says(read.reason(), "whole content"));
    }
  }

  TEST_CASE("a header that claims to be huge takes no memory") {
    transfer x;
    auto huge = x.file;
    const uint32_t size = snapshot_header_bytes_max;
    std::memcpy(huge.data() + 12, &size, sizeof size);
    CHECK(x.receiver.take(0, std::span{huge}.first(16)).reason().code == errc::malformed);
    CHECK(x.receiver.resume_at() == 0);
    x.finish();
  }

  TEST_CASE("a transfer whose disk failed is over") {
    transfer x;
    REQUIRE(x.take_up_to(200).ok());
    bool fails = true;
    x.disk.on_call([&](const disk_call& call) -> std::optional<error> {
      if (call.kind != disk_call::kind::write || !std::exchange(fails, false))
        return std::nullopt;
      return error{errc::no_space, "cannot write memory/" + std::string{call.name}};
    });
    const auto failed = x.take_up_to(x.file.size());
    REQUIRE_FALSE(failed.ok());
    CHECK(failed.reason().code == errc::no_space);
    CHECK(x.disk.names().empty());
    CHECK(x.take_up_to(x.file.size()).reason() == failed.reason());
    CHECK(x.disk.names().empty());
  }

} // TEST_SUITE
