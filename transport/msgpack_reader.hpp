#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>

namespace caucus::transport {

/// Reads the part of msgpack's grammar that our frames use, in place: no allocation, no recursion,
/// nothing announced is believed beyond the bytes that are there (RELIABILITY ). From the
/// first value that is truncated or of another type all reads give nothing and `ok` stays false,
/// so that a decoder checks once per message, and before it believes a count.
class msgpack_reader {
public:
  explicit msgpack_reader(std::span<const std::byte> bytes) noexcept
    : at_{bytes.data()}, end_{bytes.data() + bytes.size()} {}

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] bool at_end() const noexcept { return ok_ && at_ == end_; }
  [[nodiscard]] size_t remaining() const noexcept { return static_cast<size_t>(end_ - at_); }

  uint64_t read_uint() noexcept {
    const auto tag = take_tag();
    if (tag < 0x80)
      return tag;
    switch (tag) {
      case 0xcc: return take<uint8_t>();
      case 0xcd: return take<uint16_t>();
      case 0xce: return take<uint32_t>();
      case 0xcf: return take<uint64_t>();
      default: return fail();
    }
  }

  int64_t read_int() noexcept {
    if (at_ == end_)
      return static_cast<int64_t>(fail());
    const auto tag = static_cast<uint8_t>(*at_);
    if (tag >= 0xe0) {
      ++at_;
      return static_cast<int8_t>(tag);
    }
    if (tag < 0xd0 || tag > 0xd3) {
      const auto x = read_uint();
      return static_cast<int64_t>(x <= max_int ? x : fail());
    }
    ++at_;
    switch (tag) {
      case 0xd0: return static_cast<int8_t>(take<uint8_t>());
      case 0xd1: return static_cast<int16_t>(take<uint16_t>());
      case 0xd2: return static_cast<int32_t>(take<uint32_t>());
      default: return static_cast<int64_t>(take<uint64_t>());
    }
  }

  bool read_bool() noexcept {
    const auto tag = take_tag();
    if (tag != 0xc2 && tag != 0xc3)
      fail();
    return tag == 0xc3;
  }

  /// The number of elements that follow. Each takes a byte at least, so that a larger count than
  /// there are bytes is a lie.
  uint32_t read_array() noexcept {
    const auto tag = take_tag();
    uint32_t count = 0;
    if ((tag & 0xf0) == 0x90)
      count = tag & 0x0f;
    else if (tag == 0xdc)
      count = take<uint16_t>();
    else if (tag == 0xdd)
      count = take<uint32_t>();
    else
      fail();
    return count <= remaining() ? count : static_cast<uint32_t>(fail());
  }

  std::span<const std::byte> read_bin() noexcept {
    switch (take_tag()) {
      case 0xc4: return take_bytes(take<uint8_t>());
      case 0xc5: return take_bytes(take<uint16_t>());
      case 0xc6: return take_bytes(take<uint32_t>());
      default: fail(); return {};
    }
  }

  std::string_view read_str() noexcept {
    const auto tag = take_tag();
    std::span<const std::byte> bytes;
    if ((tag & 0xe0) == 0xa0)
      bytes = take_bytes(tag & 0x1f);
    else if (tag == 0xd9)
      bytes = take_bytes(take<uint8_t>());
    else if (tag == 0xda)
      bytes = take_bytes(take<uint16_t>());
    else
      fail();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

private:
  static constexpr uint64_t max_int = std::numeric_limits<int64_t>::max();
  static constexpr uint8_t never_used_tag = 0xc1;

  uint64_t fail() noexcept {
    ok_ = false;
    at_ = end_;
    return 0;
  }

  uint8_t take_tag() noexcept {
    if (at_ == end_) {
      fail();
      return never_used_tag;
    }
    return static_cast<uint8_t>(*at_++);
  }

  /// msgpack's numbers are big-endian.
  template <class T>
  T take() noexcept {
    if (remaining() < sizeof(T))
      return static_cast<T>(fail());
    T x;
    std::memcpy(&x, at_, sizeof x);
    at_ += sizeof x;
    static_assert(std::endian::native == std::endian::little);
    if constexpr (sizeof(T) == 2)
      x = __builtin_bswap16(x);
    else if constexpr (sizeof(T) == 4)
      x = __builtin_bswap32(x);
    else if constexpr (sizeof(T) == 8)
      x = __builtin_bswap64(x);
    return x;
  }

  std::span<const std::byte> take_bytes(size_t size) noexcept {
    if (size > remaining()) {
      fail();
      return {};
    }
    const auto* first = at_;
    at_ += size;
    return {first, size};
  }

  const std::byte* at_;
  const std::byte* end_;
  bool ok_ = true;
};

} // namespace caucus::transport
