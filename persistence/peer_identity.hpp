#pragma once

#include "base/ids.hpp"

namespace caucus::persistence {

/// Which directory a peer had when we first met it: a wiped one is another voter (RELIABILITY
/// O-08).
struct peer_identity {
  node_id node;
  directory_id directory;

  friend bool operator==(const peer_identity&, const peer_identity&) = default;
};

} // namespace caucus::persistence
