#pragma once

#include "caucus/messages.hpp"
#include "caucus/node.hpp"

#include <atomic>
#include <memory>
#include <vector>

namespace caucus::bench {

/// Groups of one node whose machines count what they applied, each for itself. They outlive the
/// node's machines.
class many_groups {
public:
  explicit many_groups(size_t count) : applied_(count) {}

  /// Opens all of them, which begins their recovery.
  result<void> open(node& owner);

  /// Commands of `payload_bytes` to every group, one outstanding in each, until it has executed
  /// `count`. Blocks; returns how many attempts failed and were repeated.
  uint64_t fill(caf::actor_system& system, uint64_t count, size_t payload_bytes);
  /// Blocks until every group's machine has applied at least `count` commands.
  void wait_until_applied(uint64_t count) const;

private:
  std::vector<std::atomic<uint64_t>> applied_; ///< By group, since this process began.
  std::vector<group_actor> handles_;
};

} // namespace caucus::bench
