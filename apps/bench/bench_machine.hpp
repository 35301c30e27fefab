#pragma once

#include "base/crc32c.hpp"
#include "base/rng.hpp"
#include "caucus/state_machine.hpp"

#include <array>

namespace caucus::bench {

/// What a client expects of its own command's apply: only a machine that saw exactly these bytes
/// can know it.
inline uint32_t fingerprint(std::span<const std::byte> payload) { return crc32c(payload, 0xbe7c); }

/// The cheapest machine that can't cheat: counts commands, chains a digest over their contents in
/// order, and answers each with its fingerprint and its place.
class bench_machine final : public state_machine {
public:
  /// Reply: fingerprint (4 bytes), commands so far (8 bytes), little-endian.
  static constexpr size_t reply_bytes = 12;

  apply_result apply(const apply_context&, const shared_bytes& command) override {
    auto print = fingerprint(command.span());
    digest_ = rng::mix(digest_ + print + 1);
    ++commands_;
    std::array<std::byte, reply_bytes> reply;
    for (size_t i = 0; i < 4; ++i)
      reply[i] = static_cast<std::byte>(print >> (8 * i));
    for (size_t i = 0; i < 8; ++i)
      reply[4 + i] = static_cast<std::byte>(commands_ >> (8 * i));
    return shared_bytes::copy_of(reply);
  }

  [[nodiscard]] uint64_t digest() const override { return digest_; }
  [[nodiscard]] std::string describe() const override {
    return "{\"commands\":" + std::to_string(commands_) + "}";
  }

  /// Whether the reply is the one to a command with this fingerprint.
  static bool answers(const shared_bytes& reply, uint32_t print) {
    if (reply.size() != reply_bytes)
      return false;
    uint32_t found = 0;
    for (size_t i = 0; i < 4; ++i)
      found |= static_cast<uint32_t>(reply.data()[i]) << (8 * i);
    return found == print;
  }

private:
  uint64_t commands_ = 0;
  uint64_t digest_ = 0;
};

} // namespace caucus::bench
