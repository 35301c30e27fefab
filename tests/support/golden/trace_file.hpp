#pragma once

#include "tests/support/golden/script_error.hpp"

#include <string>
#include <vector>

namespace caucus::golden {

/// One step of a trace: commands, one a line, `----`, and what is expected to come of them.
struct trace_step {
  size_t line = 0;                ///< Of the first command, from 1.
  std::vector<std::string> lines; ///< Everything before `----` since the last step, for rewriting.
  std::vector<std::string> commands;
  std::vector<std::string> expected;
};

/// A whole trace. Comments start with `#`; a blank line ends what is expected.
struct trace_file {
  std::vector<trace_step> steps;
  std::vector<std::string> end; ///< What follows the last step: comments.
};

/// Throws `script_error`: no step at all, a step without `----`, an expectation without a command.
trace_file parse_trace(const std::string& text);
std::string to_text(const trace_file& x);

} // namespace caucus::golden
