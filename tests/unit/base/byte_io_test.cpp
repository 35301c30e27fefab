#include "base/byte_io.hpp"

#include <doctest/doctest.h>

using namespace caucus;

TEST_SUITE("base/byte_io") {

  TEST_CASE("numbers written at once are the bytes of those written one by one") {
    std::vector<std::byte> singly, at_once;
    byte_writer one{singly};
    one.u64(0x0102030405060708u);
    one.u8(9);
    one.u32(0x0a0b0c0du);
    one.i64(-2);
    byte_writer{at_once}.numbers(uint64_t{0x0102030405060708u}, uint8_t{9}, uint32_t{0x0a0b0c0du},
                                 int64_t{-2});
    CHECK(at_once == singly);

    byte_reader in{at_once};
    CHECK(in.u64() == 0x0102030405060708u);
    CHECK(in.u8() == 9);
    CHECK(in.u32() == 0x0a0b0c0du);
    CHECK(in.i64() == -2);
    CHECK(in.at_end());
  }

  TEST_CASE("a reader gives zeros from the first read beyond the end on") {
    const std::vector<std::byte> three(3, std::byte{7});
    byte_reader in{three};
    CHECK(in.u32() == 0);
    CHECK(in.u8() == 0);
    CHECK(in.bytes(1).empty());
    CHECK_FALSE(in.ok());
    CHECK_FALSE(in.at_end());
  }
}
