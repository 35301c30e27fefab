#pragma once

#include <caucus/state_machine.hpp>

namespace counter {

/// The replicated counter. Lives in its group's machine actor.
class counter_machine final : public caucus::state_machine {
public:
  /// Replies with the count after the command. Refuses an addition that would overflow and bytes
  /// that are no command; both change nothing.
  caucus::apply_result apply(const caucus::apply_context& context,
                             const caucus::shared_bytes& command) override;
  /// The only question is the count's `get`.
  [[nodiscard]] caucus::apply_result query(const caucus::shared_bytes& question) const override;
  [[nodiscard]] uint64_t digest() const override;
  [[nodiscard]] std::string describe() const override;
  /// The count, as `encode_count` writes it.
  [[nodiscard]] std::unique_ptr<caucus::snapshot_view> take_view() const override;
  caucus::result<void> restore(caucus::snapshot_source& from) override;

private:
  int64_t count_ = 0;
};

} // namespace counter
