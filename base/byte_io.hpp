#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

namespace caucus {

static_assert(std::endian::native == std::endian::little,
              "disk and wire are little-endian; a big-endian host needs byte swaps here");

/// Appends little-endian numbers and raw bytes to a buffer that its caller owns.
class byte_writer {
public:
  explicit byte_writer(std::vector<std::byte>& into) noexcept : into_{into} {}

  void u8(uint8_t x) { raw(&x, sizeof x); }
  void u16(uint16_t x) { raw(&x, sizeof x); }
  void u32(uint32_t x) { raw(&x, sizeof x); }
  void u64(uint64_t x) { raw(&x, sizeof x); }
  void i64(int64_t x) { raw(&x, sizeof x); }
  /// Each as it would be alone; faster than one by one.
  template <class... Numbers>
  void numbers(Numbers... each) {
    static_assert((std::is_integral_v<Numbers> && ...));
    std::byte packed[(sizeof(Numbers) + ...)];
    auto* at = packed;
    ((std::memcpy(at, &each, sizeof each), at += sizeof each), ...);
    raw(packed, sizeof packed);
  }
  void bytes(std::span<const std::byte> x) { raw(x.data(), x.size()); }

private:
  void raw(const void* first, size_t size) {
    const auto* begin = static_cast<const std::byte*>(first);
    into_.insert(into_.end(), begin, begin + size);
  }

  std::vector<std::byte>& into_;
};

/// Reads what `byte_writer` wrote. Never reads beyond the end: from the first read that would, all
/// give zeros or nothing and `ok` stays false, so that a decoder checks once at its end (and before
/// it believes a count).
class byte_reader {
public:
  explicit byte_reader(std::span<const std::byte> bytes) noexcept : rest_{bytes} {}

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] size_t remaining() const noexcept { return rest_.size(); }
  /// Everything was read and nothing more than that.
  [[nodiscard]] bool at_end() const noexcept { return ok_ && rest_.empty(); }

  uint8_t u8() noexcept { return number<uint8_t>(); }
  uint16_t u16() noexcept { return number<uint16_t>(); }
  uint32_t u32() noexcept { return number<uint32_t>(); }
  uint64_t u64() noexcept { return number<uint64_t>(); }
  int64_t i64() noexcept { return number<int64_t>(); }
  /// A view into the source; empty if there are fewer left.
  std::span<const std::byte> bytes(size_t size) noexcept {
    if (size > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const auto taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

private:
  template <class T>
  T number() noexcept {
    T x = 0;
    if (const auto taken = bytes(sizeof x); !taken.empty())
      std::memcpy(&x, taken.data(), sizeof x);
    return x;
  }

  std::span<const std::byte> rest_;
  bool ok_ = true;
};

} // namespace caucus
