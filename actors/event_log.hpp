#pragma once

#include "base/ids.hpp"
#include "raft/ready.hpp"

#include <string_view>

namespace caucus {

/// The node's own record of what it was: each line is written before the node acts accordingly, so
/// that after any crash the logs of all nodes together show whether two ever led in one term.
/// Thread-safe.
class event_log {
public:
  virtual ~event_log() = default;
  virtual void role_changed(std::string_view group, const raft::soft_state& now) = 0;
};

} // namespace caucus
