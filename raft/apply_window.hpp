#pragma once

#include "raft/log.hpp"

namespace caucus::raft {

/// What the machine was given and what it has done: keeps the entries on their way to it within
/// `bytes_max`, so that a slow machine delays itself and nothing else.
///
///     ... applied ... handed ... min(commit, persisted)
class apply_window {
public:
  apply_window(index_t applied, uint64_t bytes_max) noexcept
    : applied_{applied}, handed_{applied}, bytes_max_{bytes_max} {}

  [[nodiscard]] index_t applied() const noexcept { return applied_; }
  [[nodiscard]] index_t handed() const noexcept { return handed_; }
  [[nodiscard]] index_t next() const noexcept { return handed_ + 1; }
  /// At least one entry may always be under way, however large.
  [[nodiscard]] bool has_room() const noexcept { return bytes_ < bytes_max_; }
  [[nodiscard]] uint64_t room() const noexcept { return has_room() ? bytes_max_ - bytes_ : 0; }

  /// Hands out what follows from memory, up to `last` and as far as there is room.
  void take(const log& from, index_t last, std::vector<entry_ptr>& out);
  /// Hands out what was read from the disk. Precondition: starts at next(), is what the log holds.
  void take(std::vector<entry_ptr> read, std::vector<entry_ptr>& out);
  /// The machine loads a snapshot that ends at `index`, after all that it was given and before what
  /// comes next.
  void jump(index_t index);
  /// The machine has executed everything up to `upto`.
  void acknowledge(index_t upto);

  [[nodiscard]] bool is_read_failed() const noexcept { return is_read_failed_; }
  void set_read_failed(bool x) noexcept { is_read_failed_ = x; }

private:
  struct batch {
    index_t last;
    uint64_t bytes = 0;
  };

  void hand_out(index_t last, uint64_t bytes);

  index_t applied_;
  index_t handed_; ///< applied <= handed.
  uint64_t bytes_max_;
  uint64_t bytes_ = 0; ///< Of the batches under way.
  ring<batch> under_way_;
  bool is_read_failed_ = false; ///< The last log read brought nothing; wait before the next.
};

} // namespace caucus::raft
