#pragma once

#include "apps/sim/history/operation.hpp"
#include "base/result.hpp"

#include <iosfwd>
#include <span>
#include <vector>

namespace caucus::sim::history {

// A history as text, an operation a line, so that others can judge ours and we theirs:
//
//   {"client":1,"op":"cas","object":2,"argument":7,"expected":3,"called":4,"returned":9,
//    "value":3,"ok":true}   (on one line)
//
// `op` is get, add, put or cas; an operation whose fate is unknown has no `returned`.

void write(std::ostream& to, std::span<const operation> history);
/// Refuses with the line's number what isn't a history.
result<std::vector<operation>> read(std::istream& from);

} // namespace caucus::sim::history
