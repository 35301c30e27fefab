#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace caucus::transport {

/// One encoded frame, header included, on its way to a socket.
struct frame {
  std::unique_ptr<std::byte[]> data;
  uint32_t size = 0;
  bool is_urgent = false; ///< Heartbeats only: may overtake bulk (RELIABILITY S-75).

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data.get(), size}; }
};

/// Alone: an initializer list could not be moved from.
inline std::vector<frame> just(frame x) {
  std::vector<frame> frames;
  frames.push_back(std::move(x));
  return frames;
}

} // namespace caucus::transport
