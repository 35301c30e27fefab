#include "tests/support/golden/trace_file.hpp"

#include <sstream>
#include <utility>

namespace caucus::golden {

namespace {

constexpr auto separator = "----";

bool is_blank(const std::string& line) {
  return line.find_first_not_of(" \t\r") == std::string::npos;
}

/// The command of a line without its comment; empty if there is none.
std::string command_in(const std::string& line) {
  const auto text = line.substr(0, line.find('#'));
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos)
    return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

[[noreturn]] void fail(size_t line, const std::string& why) {
  throw script_error{"line " + std::to_string(line) + ": " + why};
}

} // namespace

trace_file parse_trace(const std::string& text) {
  trace_file out;
  trace_step next;
  std::istringstream in{text};
  size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line != separator) {
      if (auto command = command_in(line); !command.empty()) {
        next.line = next.commands.empty() ? number : next.line;
        next.commands.push_back(std::move(command));
      }
      next.lines.push_back(line);
      continue;
    }
    if (next.commands.empty())
      fail(number, "nothing is commanded before this ----");
    while (std::getline(in, line) && ++number > 0 && !is_blank(line))
      next.expected.push_back(line);
    if (next.expected.empty() && in.eof())
      fail(number, "the trace is cut off: nothing is expected after ----");
    out.steps.push_back(std::exchange(next, {}));
  }
  if (!next.commands.empty())
    fail(next.line, "the step is cut off: no ---- follows it");
  if (out.steps.empty())
    fail(number, "there is no step in it");
  out.end = std::move(next.lines);
  return out;
}

std::string to_text(const trace_file& x) {
  std::string out;
  const auto add = [&out](const std::vector<std::string>& lines) {
    for (const auto& line : lines)
      out += line + '\n';
  };
  for (const auto& step : x.steps) {
    out += out.empty() ? "" : "\n";
    add(step.lines);
    out += separator;
    out += '\n';
    add(step.expected);
  }
  if (!x.end.empty())
    out += '\n';
  add(x.end);
  return out;
}

} // namespace caucus::golden
