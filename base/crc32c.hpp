#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace caucus {

/// CRC-32C (Castagnoli: reflected polynomial 0x82f63b78, initial value and final xor all ones). By
/// the CPU's instruction where there is one. `crc32c(b, crc32c(a))` is the sum of a followed by b.
uint32_t crc32c(std::span<const std::byte> bytes, uint32_t before = 0) noexcept;

/// The same without the instruction: for other CPUs, and to test one against the other.
uint32_t crc32c_portable(std::span<const std::byte> bytes, uint32_t before = 0) noexcept;

} // namespace caucus
