#pragma once

#include "persistence/file.hpp"

namespace caucus::persistence {

/// Reads a file in large steps and shows small pieces of it. One thread; the file must outlive it.
class read_window {
public:
  explicit read_window(size_t bytes_ahead) noexcept : bytes_ahead_{bytes_ahead} {}
  read_window(file& source, size_t bytes_ahead) noexcept
    : source_{&source}, bytes_ahead_{bytes_ahead} {}

  /// Goes on with another file, in the same memory.
  void show(file& source) noexcept {
    source_ = &source;
    size_ = 0;
  }

  /// How much is read at a time from now on.
  void look_ahead(size_t bytes) noexcept { bytes_ahead_ = bytes; }

  /// The bytes at `offset`, `size` of them or fewer where the file ends. Valid until the next call.
  result<std::span<const std::byte>> at(uint64_t offset, size_t size);

private:
  file* source_ = nullptr;
  size_t bytes_ahead_;
  std::unique_ptr<std::byte[]> memory_;
  size_t capacity_ = 0;
  uint64_t begin_ = 0;
  size_t size_ = 0;
};

} // namespace caucus::persistence
