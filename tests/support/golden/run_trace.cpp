#include "tests/support/golden/run_trace.hpp"

#include "base/assert.hpp"
#include "tests/support/golden/trace_file.hpp"
#include "tests/support/golden/trace_session.hpp"

#include <fstream>
#include <sstream>

namespace caucus::golden {

namespace {

std::string difference(const trace_step& step, const std::vector<std::string>& got) {
  std::string out = "line " + std::to_string(step.line) + ": expected (-) and came (+)\n";
  const auto lines = std::max(step.expected.size(), got.size());
  for (size_t i = 0; i < lines; ++i) {
    const bool is_expected = i < step.expected.size();
    const bool has_come = i < got.size();
    if (is_expected && has_come && step.expected[i] == got[i]) {
      out += "    " + got[i] + "\n";
      continue;
    }
    if (is_expected)
      out += "  - " + step.expected[i] + "\n";
    if (has_come)
      out += "  + " + got[i] + "\n";
  }
  return out;
}

/// What the commands brought; `got` also tells how far they came if one of them throws.
void run_step(trace_session& session, const trace_step& step, std::vector<std::string>& got) {
  for (const auto& command : step.commands) {
    auto lines = session.run(command);
    got.insert(got.end(), lines.begin(), lines.end());
  }
  if (got.empty())
    got.emplace_back("ok");
}

std::string so_far(const std::vector<std::string>& got) {
  std::string out;
  for (const auto& line : got)
    out += "    " + line + "\n";
  return out;
}

} // namespace

trace_outcome run_trace(std::string& text, bool rewrites) {
  trace_outcome out;
  size_t line = 0;
  std::vector<std::string> got;
  try {
    auto file = parse_trace(text);
    trace_session session;
    for (auto& step : file.steps) {
      line = step.line;
      got.clear();
      run_step(session, step, got);
      ++out.steps;
      out.commands += step.commands.size();
      if (rewrites)
        step.expected = got;
      else if (got != step.expected)
        out.failure += difference(step, got);
    }
    text = rewrites ? to_text(file) : text;
  } catch (const script_error& e) {
    out.failure +=
      (line > 0 ? "line " + std::to_string(line) + ": " : "") + e.what() + "\n" + so_far(got);
  } catch (const invariant_violation& e) {
    out.failure += "line " + std::to_string(line) + ": violated: " + e.what() + "\n" + so_far(got);
  }
  return out;
}

trace_outcome run_trace_file(const std::filesystem::path& path, bool rewrites) {
  std::stringstream read;
  {
    std::ifstream file{path};
    read << file.rdbuf();
    if (!file)
      return {.failure = "can't be read\n"};
  }
  const auto before = read.str();
  auto text = before;
  auto out = run_trace(text, rewrites);
  if (out.failure.empty() && text != before) {
    std::ofstream file{path};
    file << text;
    if (!file.flush())
      out.failure = "can't be written\n";
  }
  return out;
}

} // namespace caucus::golden
