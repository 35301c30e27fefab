#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace caucus {

/// Immutable bytes with shared ownership. A payload is one allocation from the client's message, or
/// a window into the frame or segment buffer it was read with, to the WAL's buffer and the
/// socket's: it is copied once into each and never between actors.
class shared_bytes {
public:
  shared_bytes() noexcept = default;

  /// Copies `bytes` into an allocation of its own.
  static shared_bytes copy_of(std::span<const std::byte> bytes) {
    if (bytes.empty())
      return {};
    auto storage = std::make_shared_for_overwrite<std::byte[]>(bytes.size());
    std::memcpy(storage.get(), bytes.data(), bytes.size());
    auto* first = storage.get();
    return shared_bytes{std::shared_ptr<const std::byte>{std::move(storage), first}, bytes.size()};
  }
  static shared_bytes copy_of(std::string_view text) {
    return copy_of(std::as_bytes(std::span{text.data(), text.size()}));
  }

  /// A window into memory that `owner` keeps alive.
  static shared_bytes window(std::shared_ptr<const void> owner, std::span<const std::byte> bytes) {
    return shared_bytes{std::shared_ptr<const std::byte>{std::move(owner), bytes.data()},
                        bytes.size()};
  }

  [[nodiscard]] const std::byte* data() const noexcept { return first_.get(); }
  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::span<const std::byte> span() const noexcept { return {first_.get(), size_}; }
  [[nodiscard]] std::string_view view() const noexcept {
    return {reinterpret_cast<const char*>(first_.get()), size_};
  }

  friend bool operator==(const shared_bytes& a, const shared_bytes& b) noexcept {
    return a.view() == b.view();
  }

private:
  shared_bytes(std::shared_ptr<const std::byte> first, size_t size) noexcept
    : first_{std::move(first)}, size_{size} {}

  std::shared_ptr<const std::byte> first_;
  size_t size_ = 0;
};

} // namespace caucus
