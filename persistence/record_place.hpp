#pragma once

#include <cstdint>

namespace caucus::persistence {

/// Where the newest record lies that says something; segment 0: none does.
struct record_place {
  uint64_t segment = 0;
  uint32_t bytes = 0;

  friend bool operator==(const record_place&, const record_place&) = default;
};

} // namespace caucus::persistence
