#pragma once

#include <caucus/options.hpp>

namespace counter {

/// Of the counter's group.
inline constexpr const char* group_name = "counter";

struct serve_options {
  caucus::node_options node;
  caucus::endpoint client; ///< Where clients connect.
};

/// One node of the counter, until SIGTERM or SIGINT; a second one ends it at once. Returns the exit
/// status; a start that fails has said why in one line and written nothing.
int run_serve(const serve_options& options);

} // namespace counter
