#pragma once

#include "base/ids.hpp"

namespace caucus::persistence {

/// Whose log it is. Written into every segment; a directory of another node or cluster is refused
/// before anything in it is touched (RELIABILITY O-05).
struct wal_identity {
  cluster_id cluster;
  node_id node;

  friend bool operator==(const wal_identity&, const wal_identity&) = default;
};

} // namespace caucus::persistence
