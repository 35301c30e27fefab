#pragma once

#include "apps/sim/log_mirror.hpp"
#include "membership/configuration.hpp"

#include <functional>
#include <span>
#include <vector>

namespace caucus::sim {

/// What was ever committed, and so must be for ever: State Machine Safety, Leader Completeness, and
/// that what commits is durable on a quorum (thesis Fig. 3.2; RELIABILITY S-17, S-30, E-01).
class committed_log {
public:
  /// Whether the node has the log up to `index` durably, hashed as given.
  using is_durable = std::function<bool(node_id, index_t, uint64_t)>;

  /// The node, in `term`, has advanced its commit index to `upto`.
  void on_commit(node_id node, term_t term, const log_mirror& log, index_t upto);
  /// The node goes by a snapshot of what was committed up to `index`, hashed as given.
  void on_restore(node_id node, index_t index, uint64_t hash) const;
  /// Precondition: `upto` is committed. To be called before anybody is told. @returns that of the
  /// `configurations` whose majority holds it; one has to.
  const membership::configuration_ptr&
  check_quorum(index_t upto, std::span<const membership::configuration_ptr> configurations,
               const is_durable& holds) const;
  /// The node begins to lead `term` with this log.
  void on_leader(node_id node, term_t term, const log_mirror& log) const;

  [[nodiscard]] index_t last() const noexcept { return index_t{slots_.size()}; }
  [[nodiscard]] uint64_t hash_at(index_t index) const noexcept {
    return index == index_t{} ? 0 : slots_[index.value() - 1].hash;
  }

private:
  struct slot {
    uint64_t hash = 0;
    term_t in; ///< The term of who knew it first.
  };

  std::vector<slot> slots_; ///< Index i + 1 at position i.
};

} // namespace caucus::sim
