#pragma once

#include "raft/core_options.hpp"

#include <cstdint>

namespace caucus::test {

/// Ticks with nothing to do until a group of `sleepy` cores goes to sleep.
constexpr uint32_t patience = 3;

inline raft::core_options sleepy() {
  raft::core_options how;
  how.quiesce_ticks = patience;
  return how;
}

} // namespace caucus::test
