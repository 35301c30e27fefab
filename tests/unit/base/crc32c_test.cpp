#include "base/crc32c.hpp"

#include "base/rng.hpp"

#include <doctest/doctest.h>

#include <string_view>
#include <vector>

using namespace caucus;

namespace {

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}

std::vector<std::byte> random_bytes(size_t size, uint64_t seed) {
  rng random{seed};
  std::vector<std::byte> bytes(size);
  for (auto& b : bytes)
    b = static_cast<std::byte>(random.next());
  return bytes;
}

} // namespace

TEST_SUITE("base/crc32c") {

  TEST_CASE("agrees with the published check values (RFC 3720, B.4)") {
    CHECK(crc32c(as_bytes("123456789")) == 0xe3069283);
    CHECK(crc32c(as_bytes("")) == 0);
    CHECK(crc32c(std::vector(32, std::byte{0})) == 0x8a9136aa);
    CHECK(crc32c(std::vector(32, std::byte{0xff})) == 0x62a8ab43);
    std::vector<std::byte> ascending;
    for (int i = 0; i < 32; ++i)
      ascending.push_back(static_cast<std::byte>(i));
    CHECK(crc32c(ascending) == 0x46dd794e);
    CHECK(crc32c_portable(as_bytes("123456789")) == 0xe3069283);
  }

  TEST_CASE("gives the same by instruction and by table, for every length and alignment") {
    const auto bytes = random_bytes(20000, 1);
    const std::span all{bytes};
    for (size_t size = 0; size < 1000; ++size)
      REQUIRE(crc32c(all.subspan(size % 8, size)) == crc32c_portable(all.subspan(size % 8, size)));
    for (size_t size = 6000; size < 20000; size += 1357)
      REQUIRE(crc32c(all.first(size)) == crc32c_portable(all.first(size)));
  }

  TEST_CASE("continues where another sum ended") {
    const auto bytes = random_bytes(9000, 2);
    const std::span all{bytes};
    for (size_t cut : {0u, 1u, 7u, 191u, 192u, 4096u, 8999u}) {
      CHECK(crc32c(all.subspan(cut), crc32c(all.first(cut))) == crc32c(all));
      CHECK(crc32c_portable(all.subspan(cut), crc32c_portable(all.first(cut))) == crc32c(all));
    }
  }

  TEST_CASE("notices every single flipped bit") {
    auto bytes = random_bytes(700, 3);
    const auto sum = crc32c(bytes);
    for (size_t i = 0; i < bytes.size() * 8; ++i) {
      bytes[i / 8] ^= std::byte{1} << (i % 8);
      REQUIRE(crc32c(bytes) != sum);
      bytes[i / 8] ^= std::byte{1} << (i % 8);
    }
  }

} // TEST_SUITE
