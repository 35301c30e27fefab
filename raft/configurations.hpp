#pragma once

#include "membership/configuration.hpp"

#include <vector>

namespace caucus::raft {

/// The configurations of one replica's log, each in force from its entry on until the next one
/// (thesis §4.1). The latest decides, committed or not; an older one comes back when the entry of a
/// later one is overwritten (RELIABILITY S-63, M-08).
class configurations {
public:
  /// `oldest` is that of the log's beginning; `later` come from its entries, ascending.
  configurations(membership::numbered_configuration oldest,
                 std::vector<membership::numbered_configuration> later);

  [[nodiscard]] const membership::numbered_configuration& latest() const noexcept {
    return known_.back();
  }
  /// The one that was in force at `index`: what a snapshot as of it must carry. Precondition:
  /// `index` isn't before the oldest.
  [[nodiscard]] const membership::numbered_configuration& as_of(index_t index) const;

  /// Whether the node votes in any that may be in force in the end, given what is committed.
  [[nodiscard]] bool is_voter_since(index_t committed, node_id node) const;

  /// Precondition: `id` is greater than all before.
  void append(index_t id, membership::configuration members);
  /// Those whose entries are at or after `from` are gone. @returns whether there were any.
  bool truncate_from(index_t from);
  /// Forgets those that were no longer in force at `index`.
  void compact(index_t index);
  /// The log begins anew with this one.
  void restore(membership::numbered_configuration x);

private:
  friend class invariants;

  std::vector<membership::numbered_configuration> known_; ///< Ascending; never empty.
};

} // namespace caucus::raft
