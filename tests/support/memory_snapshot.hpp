#pragma once

#include "caucus/snapshot.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace caucus::testing {

/// A snapshot in memory.
class memory_sink final : public snapshot_sink {
public:
  std::vector<std::byte> bytes;

  result<void> write(std::span<const std::byte> more) override {
    bytes.insert(bytes.end(), more.begin(), more.end());
    return {};
  }
};

/// Gives a snapshot back in small pieces.
class memory_source final : public snapshot_source {
public:
  explicit memory_source(std::vector<std::byte> bytes) : bytes_{std::move(bytes)} {}

  result<size_t> read(std::span<std::byte> into) override {
    constexpr size_t piece_bytes = 3;
    const auto size = std::min({into.size(), bytes_.size() - at_, piece_bytes});
    // Not memcpy: an empty vector's data() may be null, which memcpy forbids even for no bytes.
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), size, into.begin());
    at_ += size;
    return size;
  }

private:
  std::vector<std::byte> bytes_;
  size_t at_ = 0;
};

} // namespace caucus::testing
