#include "transport/receive_buffer.hpp"

#include <doctest/doctest.h>

#include <cstring>

namespace caucus::transport {

namespace {

/// Plays the socket: copies as much as there is room for.
size_t feed(receive_buffer& buffer, size_t bytes, int value) {
  const auto room = buffer.writable();
  const auto n = std::min(bytes, room.size());
  std::memset(room.data(), value, n);
  buffer.commit(n);
  return n;
}

} // namespace

TEST_SUITE("transport/receive_buffer") {

  TEST_CASE("grows with what was received, not with what was announced") {
    receive_buffer buffer{1024};
    REQUIRE(feed(buffer, 100, 1) == 100);
    buffer.expect(8 << 20);
    CHECK(buffer.writable().size() <= 1024);
    size_t received = 100;
    size_t most = 0;
    while (received < (8u << 20)) {
      const auto room = buffer.writable().size();
      CHECK(room <= received + 1024);
      most = std::max(most, room + received);
      received += feed(buffer, room, 1);
    }
    CHECK(most == (8 << 20));
    CHECK(buffer.readable().size() == (8 << 20));
  }

  TEST_CASE("memory of a large frame is its own and stays as long as it is wanted") {
    receive_buffer buffer{1024};
    buffer.expect(5000);
    for (size_t n = 0; n < 5000;)
      n += feed(buffer, 5000 - n, 7);
    const auto kept = buffer.owner();
    REQUIRE(kept);
    const auto bytes = buffer.readable();
    buffer.consume(5000);
    feed(buffer, 1000, 9);
    CHECK_FALSE(buffer.owner());
    for (auto b : bytes)
      REQUIRE(b == std::byte{7});
  }

  TEST_CASE("small frames share one buffer, which moves its rest to the front") {
    receive_buffer buffer{100};
    CHECK(feed(buffer, 100, 1) == 100);
    const auto* storage = buffer.readable().data();
    buffer.consume(90);
    buffer.expect(50);
    CHECK(feed(buffer, 1000, 2) == 90);
    CHECK(buffer.readable().data() == storage);
    CHECK(buffer.readable().size() == 100);
    CHECK(buffer.readable()[9] == std::byte{1});
    CHECK(buffer.readable()[10] == std::byte{2});
    CHECK_FALSE(buffer.owner());
  }

  TEST_CASE("keeps every byte in its order whatever the sizes of reads and frames") {
    receive_buffer buffer{64};
    uint32_t next_written = 0;
    uint32_t next_read = 0;
    uint32_t seed = 1;
    auto random = [&](uint32_t bound) {
      seed = seed * 1664525 + 1013904223;
      return (seed >> 8) % bound;
    };
    for (int frames = 0; frames < 5000; ++frames) {
      const size_t size = 1 + random(frames % 10 == 0 ? 1000 : 60);
      while (buffer.readable().size() < size) {
        buffer.expect(size);
        const auto room = buffer.writable();
        REQUIRE_FALSE(room.empty());
        const auto n = std::min<size_t>(room.size(), 1 + random(80));
        for (size_t i = 0; i < n; ++i)
          room[i] = static_cast<std::byte>(next_written++ * 7);
        buffer.commit(n);
      }
      for (auto b : buffer.readable().first(size))
        REQUIRE(b == static_cast<std::byte>(next_read++ * 7));
      buffer.consume(size);
    }
  }
}

} // namespace caucus::transport
