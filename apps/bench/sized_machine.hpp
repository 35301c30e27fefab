#pragma once

#include "base/byte_io.hpp"
#include "caucus/state_machine.hpp"

#include <memory>
#include <vector>

namespace caucus::bench {

/// A machine whose state has as many bytes as the last command of eight bytes said, each of which
/// follows from its place: large states without the memory for them. What it restores it compares.
class sized_machine final : public state_machine {
public:
  static shared_bytes command_of(uint64_t state_bytes);

  apply_result apply(const apply_context& context, const shared_bytes& command) override;
  [[nodiscard]] uint64_t digest() const override { return commands_ ^ state_bytes_ << 32; }
  [[nodiscard]] std::string describe() const override {
    return "{\"commands\":" + std::to_string(commands_) + "}";
  }
  [[nodiscard]] std::unique_ptr<snapshot_view> take_view() const override;
  result<void> restore(snapshot_source& from) override;

private:
  uint64_t commands_ = 0;
  uint64_t state_bytes_ = 0;
};

} // namespace caucus::bench
