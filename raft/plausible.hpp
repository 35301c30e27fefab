#pragma once

#include "raft/message.hpp"

namespace caucus::raft {

/// Whether a message could come from a replica that follows the rules, judging by itself alone: no
/// index or term so large that counting on would overflow (RELIABILITY P-22), entries without gaps
/// and of terms that its sender can have. Bounds what a broken peer can make us compute with.
[[nodiscard]] bool is_plausible(const message& x);

} // namespace caucus::raft
