#include "base/crc32c.hpp"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace caucus {

namespace {

constexpr uint32_t polynomial = 0x82f63b78;

using byte_table = std::array<uint32_t, 256>;

// tables[k][b]: the sum of byte b followed by k zero bytes, so that eight bytes are looked up at
// once.
constexpr std::array<byte_table, 8> make_slices() {
  std::array<byte_table, 8> tables{};
  for (uint32_t b = 0; b < 256; ++b) {
    uint32_t crc = b;
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
    tables[0][b] = crc;
  }
  for (size_t k = 1; k < 8; ++k)
    for (size_t b = 0; b < 256; ++b)
      tables[k][b] = (tables[k - 1][b] >> 8) ^ tables[0][tables[k - 1][b] & 0xff];
  return tables;
}

constexpr auto slices = make_slices();

uint64_t load_u64(const std::byte* from) noexcept {
  uint64_t x;
  std::memcpy(&x, from, sizeof x);
  return x;
}

uint32_t extend_portable(uint32_t crc, const std::byte* p, size_t size) noexcept {
  for (; size >= 8; p += 8, size -= 8) {
    const auto x = load_u64(p) ^ crc;
    crc = slices[7][x & 0xff] ^ slices[6][(x >> 8) & 0xff] ^ slices[5][(x >> 16) & 0xff]
          ^ slices[4][(x >> 24) & 0xff] ^ slices[3][(x >> 32) & 0xff] ^ slices[2][(x >> 40) & 0xff]
          ^ slices[1][(x >> 48) & 0xff] ^ slices[0][x >> 56];
  }
  for (; size > 0; ++p, --size)
    crc = (crc >> 8) ^ slices[0][(crc ^ static_cast<uint32_t>(*p)) & 0xff];
  return crc;
}

#if defined(__x86_64__)

// A linear map of 32 bits: the images of the 32 single bits.
using bit_matrix = std::array<uint32_t, 32>;

constexpr uint32_t times(const bit_matrix& m, uint32_t x) {
  uint32_t sum = 0;
  for (size_t bit = 0; x != 0; ++bit, x >>= 1)
    sum ^= (x & 1) != 0 ? m[bit] : 0;
  return sum;
}

using shift_tables = std::array<byte_table, 4>;

// What 2^log2 zero bytes do to a sum, byte of the sum by byte.
constexpr shift_tables make_shift(int log2) {
  bit_matrix m{};
  for (size_t bit = 0; bit < 32; ++bit) {
    const auto x = uint32_t{1} << bit;
    m[bit] = (x >> 8) ^ slices[0][x & 0xff];
  }
  for (int i = 0; i < log2; ++i) {
    bit_matrix squared{};
    for (size_t bit = 0; bit < 32; ++bit)
      squared[bit] = times(m, m[bit]);
    m = squared;
  }
  shift_tables tables{};
  for (size_t k = 0; k < 4; ++k)
    for (uint32_t b = 1; b < 256; ++b) {
      const auto low = b & (~b + 1); // Linear: peel off the lowest bit.
      tables[k][b] = tables[k][b ^ low] ^ times(m, low << (8 * k));
    }
  return tables;
}

constexpr size_t long_block = 2048;
constexpr size_t short_block = 64;
constexpr auto shift_long = make_shift(11);
constexpr auto shift_short = make_shift(6);

uint32_t shifted(const shift_tables& by, uint32_t crc) noexcept {
  return by[0][crc & 0xff] ^ by[1][(crc >> 8) & 0xff] ^ by[2][(crc >> 16) & 0xff]
         ^ by[3][crc >> 24];
}

// The instruction takes three cycles and one can start in each: three blocks side by side.
template <size_t Block>
__attribute__((target("sse4.2"))) uint32_t three_blocks(const shift_tables& by, uint32_t crc,
                                                        const std::byte* p) noexcept {
  uint64_t a = crc;
  uint64_t b = 0;
  uint64_t c = 0;
  for (size_t i = 0; i < Block; i += 8) {
    a = _mm_crc32_u64(a, load_u64(p + i));
    b = _mm_crc32_u64(b, load_u64(p + Block + i));
    c = _mm_crc32_u64(c, load_u64(p + 2 * Block + i));
  }
  const auto ab = shifted(by, static_cast<uint32_t>(a)) ^ static_cast<uint32_t>(b);
  return shifted(by, ab) ^ static_cast<uint32_t>(c);
}

__attribute__((target("sse4.2"))) uint32_t extend_sse42(uint32_t crc, const std::byte* p,
                                                        size_t size) noexcept {
  for (; size >= 3 * long_block; p += 3 * long_block, size -= 3 * long_block)
    crc = three_blocks<long_block>(shift_long, crc, p);
  for (; size >= 3 * short_block; p += 3 * short_block, size -= 3 * short_block)
    crc = three_blocks<short_block>(shift_short, crc, p);
  uint64_t wide = crc;
  for (; size >= 8; p += 8, size -= 8)
    wide = _mm_crc32_u64(wide, load_u64(p));
  crc = static_cast<uint32_t>(wide);
  for (; size > 0; ++p, --size)
    crc = _mm_crc32_u8(crc, static_cast<uint8_t>(*p));
  return crc;
}

const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;

#else

constexpr bool has_instruction = false;
uint32_t extend_sse42(uint32_t crc, const std::byte* p, size_t size) noexcept {
  return extend_portable(crc, p, size);
}

#endif

} // namespace

uint32_t crc32c(std::span<const std::byte> bytes, uint32_t before) noexcept {
  return has_instruction ? ~extend_sse42(~before, bytes.data(), bytes.size())
                         : ~extend_portable(~before, bytes.data(), bytes.size());
}

uint32_t crc32c_portable(std::span<const std::byte> bytes, uint32_t before) noexcept {
  return ~extend_portable(~before, bytes.data(), bytes.size());
}

} // namespace caucus
