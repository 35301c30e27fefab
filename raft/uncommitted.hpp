#pragma once

#include "base/ring.hpp"
#include "raft/entry.hpp"

namespace caucus::raft {

/// What a leader has proposed in its term and not committed, in bytes: the limit behind
/// `proposal_dropped`. Knows the cost of each entry, as the entries themselves may have left
/// memory.
class uncommitted {
public:
  explicit uncommitted(index_t committed = {}) noexcept : before_{committed} {}

  [[nodiscard]] uint64_t bytes() const noexcept { return bytes_; }

  /// Precondition: entries come in order of their index, none is left out.
  void add(const entry& x) {
    auto cost = static_cast<uint32_t>(x.cost());
    bytes_ += cost;
    costs_.push_back(cost);
  }

  void commit(index_t upto) {
    for (; before_ < upto && !costs_.empty(); ++before_)
      bytes_ -= costs_.pop_front();
  }

private:
  index_t before_; ///< The entry before the first that is counted.
  ring<uint32_t> costs_;
  uint64_t bytes_ = 0;
};

} // namespace caucus::raft
