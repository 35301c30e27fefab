#pragma once

#include "base/result.hpp"

#include <map>
#include <string>
#include <vector>

namespace caucus::datadriven {

/// One case of a file: `command key=value key=(a,b) word`, input lines, `----`, expected lines.
struct test_case {
  size_t line = 0; ///< Of the command, from 1.
  std::string command;
  std::map<std::string, std::vector<std::string>> arguments; ///< `key=v` has one value.
  std::vector<std::string> words; ///< Those of the arguments that have no value, in their order.
  std::vector<std::string> input;
  std::vector<std::string> expected;
};

/// Parses the whole text. `malformed` names the line: a case that is cut off, an argument twice, a
/// parenthesis that doesn't close, a text without any case.
result<std::vector<test_case>> parse_cases(const std::string& text);

} // namespace caucus::datadriven
