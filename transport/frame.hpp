#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace caucus::transport {

/// One encoded frame, header included, on its way to a socket.
struct frame {
  std::unique_ptr<std::byte[]> data;
  uint32_t size = 0;
  bool is_urgent = false; ///< Heartbeats only: may overtake bulk (RELIABILITY S-75).

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data.get(), size}; }
};

} // namespace caucus::transport
