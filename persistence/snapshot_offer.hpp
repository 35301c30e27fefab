#pragma once

#include "persistence/snapshot_name.hpp"

namespace caucus::persistence {

/// What a sender tells before the first byte: which snapshot, and how long its file is.
struct snapshot_offer {
  snapshot_identity identity;
  uint64_t file_bytes = 0;

  friend bool operator==(const snapshot_offer&, const snapshot_offer&) = default;
};

} // namespace caucus::persistence
