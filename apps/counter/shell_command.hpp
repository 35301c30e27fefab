#pragma once

#include "client_options.hpp"

namespace counter {

struct shell_options {
  client_options client;
  size_t window = 64;      ///< Operations under way at a time.
  bool shows_term = false; ///< `ok VALUE TERM`: which leader's term committed it.
};

/// Reads one operation a line from standard input until its end, answers each with one line on
/// standard output, in the order of the lines. Returns the exit status.
int run_shell(const shell_options& options);

} // namespace counter
