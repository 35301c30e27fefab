#pragma once

#include "apps/sim/machine.hpp"
#include "apps/sim/violation.hpp"

#include <vector>

namespace caucus::sim {

/// What the machines do: all the same, each entry once and in order, each client operation at one
/// place of the log only, and none that its client was told isn't executed (RELIABILITY R3, P-21,
/// S-39).
class executions {
public:
  /// `hash` is the machine's after this entry.
  void on_apply(node_id node, index_t index, const machine::outcome& what, uint64_t hash) {
    agree(node, index, hash);
    if (what.is_executed_now)
      on_execute(what.operation, index);
  }

  /// The node's machine has become what a snapshot up to `index` says.
  void on_restore(node_id node, index_t index, uint64_t hash) { agree(node, index, hash); }
  /// The client was told that the operation isn't and won't be executed.
  void on_rejected(uint32_t operation) {
    auto& x = at(operation);
    x.is_rejected = true;
    check(operation, x);
  }

  [[nodiscard]] bool is_executed(uint32_t operation) {
    return at(operation).executed_at != index_t{};
  }

private:
  struct fate {
    index_t executed_at;
    bool is_rejected = false;
  };

  fate& at(uint32_t operation) {
    if (operation >= fates_.size())
      fates_.resize(2 * size_t{operation} + 64);
    return fates_[operation];
  }

  void agree(node_id node, index_t index, uint64_t hash) {
    if (index.value() >= hashes_.size())
      hashes_.resize(2 * index.value() + 64);
    auto& known = hashes_[index.value()];
    if (known == 0)
      known = hash;
    else if (known != hash)
      throw violation{"state machine agreement",
                      text("node ", node, "'s state after entry ", index, " isn't the others'")};
  }

  void on_execute(uint32_t operation, index_t index) {
    auto& x = at(operation);
    if (x.executed_at != index_t{} && x.executed_at != index)
      throw violation{"exactly once", text("operation ", operation, " is executed by entry ",
                                           x.executed_at, " and by entry ", index)};
    x.executed_at = index;
    check(operation, x);
  }

  static void check(uint32_t operation, const fate& x) {
    if (x.is_rejected && x.executed_at != index_t{})
      throw violation{
        "rejected is never executed",
        text("operation ", operation, " was called not executed and is, by entry ", x.executed_at)};
  }

  std::vector<uint64_t> hashes_; ///< Of the state after each entry; 0: nobody was there.
  std::vector<fate> fates_;      ///< By operation.
};

} // namespace caucus::sim
