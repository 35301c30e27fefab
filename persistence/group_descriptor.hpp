#pragma once

#include "membership/configuration.hpp"

#include <string>

namespace caucus::persistence {

/// How a group began on this node. Durable before the replica's first vote.
struct group_descriptor {
  group_id group;
  uint64_t generation = 0; ///< Greater than that of any deleted group of the same name.
  std::string name;
  replica_uid uid;                   ///< Tells this replica from an earlier one of the same group.
  membership::configuration members; ///< The first configuration.

  friend bool operator==(const group_descriptor&, const group_descriptor&) = default;
};

/// What stays of a deleted group: its name's next generation must be greater.
struct group_tombstone {
  group_id group;
  uint64_t generation = 0;
  std::string name;

  friend bool operator==(const group_tombstone&, const group_tombstone&) = default;
};

} // namespace caucus::persistence
