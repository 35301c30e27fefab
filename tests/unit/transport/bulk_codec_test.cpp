#include "transport/bulk_codec.hpp"

#include "base/assert.hpp"
#include "bulk_samples.hpp"
#include "transport/wire_format.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

namespace caucus::transport {

namespace {

std::vector<std::byte> body_of(const bulk_message& x) {
  const auto whole = encode(x);
  const auto body = whole.bytes().subspan(frame_header_bytes);
  return {body.begin(), body.end()};
}

bulk_message with(bulk_body body) { return {group_id{1}, transfer_id{2}, std::move(body)}; }

shared_bytes letters(size_t count) { return shared_bytes::copy_of(std::string(count, 'x')); }

template <class... Bytes>
std::vector<std::byte> raw(Bytes... bytes) {
  return {static_cast<std::byte>(bytes)...};
}

} // namespace

TEST_SUITE("transport/bulk_codec") {

  TEST_CASE("every bulk message arrives as it was sent") {
    for (const auto& x : one_of_each_bulk()) {
      const auto got = decode_bulk(body_of(x));
      REQUIRE_MESSAGE(got.ok(), dump(x));
      CHECK(dump(*got) == dump(x));
    }
  }

  TEST_CASE("the largest messages stay within the size that was announced for them") {
    auto all = one_of_each_bulk();
    all.push_back(with(
      snapshot_chunk{UINT64_MAX - snapshot_chunk_bytes_max, letters(snapshot_chunk_bytes_max)}));
    all.push_back(with(snapshot_offer{UINT64_MAX, letters(snapshot_boundary_bytes_max)}));
    for (auto& x : all) {
      x.group = group_id{UINT64_MAX};
      x.transfer = transfer_id{UINT64_MAX};
      const auto body = body_of(x);
      CHECK(body.size() + frame_header_bytes <= encoded_bytes_max(x));
      CHECK(body.size() <= bulk_body_bytes_max);
      CHECK(decode_bulk(body).ok());
    }
  }

  TEST_CASE("what is too large to be sent is a mistake of its sender") {
    for (const auto& x : {with(snapshot_chunk{0, letters(snapshot_chunk_bytes_max + 1)}),
                          with(snapshot_chunk{0, {}}),
                          with(snapshot_offer{1, letters(snapshot_boundary_bytes_max + 1)})})
      CHECK_THROWS_AS(encode(x), invariant_violation);
  }

  TEST_CASE("a chunk stays in memory that may be kept, and is copied out of the rest") {
    const auto body = body_of(with(snapshot_chunk{0, letters(1000)}));
    const auto memory = std::make_shared<std::vector<std::byte>>(body);
    const auto in_place = decode_bulk(*memory, memory);
    const auto copied = decode_bulk(body);
    REQUIRE(in_place.ok());
    REQUIRE(copied.ok());
    const auto& kept = std::get<snapshot_chunk>(in_place->body).bytes;
    CHECK(kept.data() == memory->data() + (memory->size() - 1000));
    CHECK(std::get<snapshot_chunk>(copied->body).bytes.data()
          != body.data() + (body.size() - 1000));
    CHECK(std::get<snapshot_chunk>(copied->body).bytes == kept);
    CHECK(memory.use_count() == 2);
  }

  TEST_CASE("reasons are cut where they are sent, and bring no line breaks") {
    const auto got = decode_bulk(
      body_of(with(snapshot_done{errc::io_failed, "two\nlines\x7f" + std::string(1000, 'x')})));
    REQUIRE(got.ok());
    const auto& reason = std::get<snapshot_done>(got->body).reason;
    CHECK(reason.size() == 255);
    CHECK(reason.substr(0, 11) == "two?lines?x");
  }

  TEST_CASE("truncated and prolonged bodies are refused") {
    for (const auto& x : one_of_each_bulk()) {
      auto body = body_of(x);
      for (size_t size = 0; size < body.size(); ++size)
        CHECK_FALSE(decode_bulk(std::span{body}.first(size)).ok());
      body.push_back(std::byte{0});
      CHECK_FALSE(decode_bulk(body).ok());
    }
  }

  TEST_CASE("fields with values that no sender of ours writes are refused") {
    CHECK(decode_bulk(raw(0x94, 4, 1, 2, 7)).ok());
    for (const auto& body : {raw(0x94, 0, 1, 2, 7), raw(0x94, 6, 1, 2, 7), // Unknown tags,
                             raw(0x95, 4, 1, 2, 7, 7), raw(0x93, 4, 1, 2), // a number of fields,
                             raw(0x95, 3, 1, 2, 0, 0xc4, 0),               // an empty chunk,
                             raw(0x95, 5, 1, 2, 200, 0xa0), raw(0x95, 5, 1, 2, 40, 0xa0), // codes,
                             raw(0x95, 5, 1, 2, 0xcd, 1, 0, 0xa0), raw(0x90)}) {
      const auto got = decode_bulk(body);
      REQUIRE_FALSE(got.ok());
      CHECK(got.reason().code == errc::malformed);
    }
  }

  TEST_CASE("a chunk that ends beyond the largest offset is refused") {
    CHECK(decode_bulk(body_of(with(snapshot_chunk{UINT64_MAX - 3, letters(3)}))).ok());
    CHECK_FALSE(decode_bulk(body_of(with(snapshot_chunk{UINT64_MAX - 2, letters(3)}))).ok());
  }

  TEST_CASE("flipped bytes are refused or mean something that could be sent") {
    std::mt19937 random{1};
    const auto all = one_of_each_bulk();
    size_t decoded = 0;
    for (int i = 0; i < 20'000; ++i) {
      auto body = body_of(all[static_cast<size_t>(i) % all.size()]);
      for (int flips = 0; flips < 3; ++flips)
        body[random() % body.size()] = static_cast<std::byte>(random());
      if (const auto got = decode_bulk(body)) {
        ++decoded;
        const auto again = decode_bulk(body_of(*got));
        REQUIRE(again.ok());
        CHECK(dump(*again) == dump(*got));
      }
    }
    CHECK(decoded > 0);
    CHECK(decoded < 20'000);
  }
}

} // namespace caucus::transport
