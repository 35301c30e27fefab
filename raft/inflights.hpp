#pragma once

#include "base/ids.hpp"
#include "base/ring.hpp"

namespace caucus::raft {

/// The appends on their way to one peer: how many and how large, so that a slow or dead peer costs
/// a bounded amount of memory and network (RELIABILITY P-19).
class inflights {
public:
  void add(index_t last, uint64_t bytes) {
    slots_.push_back({last, bytes});
    bytes_ += bytes;
  }

  /// The peer has everything up to `match`.
  void free_to(index_t match) {
    while (!slots_.empty() && slots_.front().last <= match)
      bytes_ -= slots_.pop_front().bytes;
  }

  void clear() {
    slots_.clear();
    bytes_ = 0;
  }

  [[nodiscard]] size_t messages() const noexcept { return slots_.size(); }
  [[nodiscard]] uint64_t bytes() const noexcept { return bytes_; }

private:
  struct append {
    index_t last;
    uint64_t bytes = 0;
  };

  ring<append> slots_; ///< Ascending by `last`.
  uint64_t bytes_ = 0;
};

} // namespace caucus::raft
