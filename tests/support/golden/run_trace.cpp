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

std::vector<std::string> run_step(trace_session& session, const trace_step& step) {
  std::vector<std::string> got;
  for (const auto& command : step.commands) {
    auto lines = session.run(command);
    got.insert(got.end(), lines.begin(), lines.end());
  }
  if (got.empty())
    got.emplace_back("ok");
  return got;
}

} // namespace

trace_outcome run_trace(std::string& text, bool rewrites) {
  trace_outcome out;
  size_t line = 0;
  try {
    auto file = parse_trace(text);
    trace_session session;
    for (auto& step : file.steps) {
      line = step.line;
      auto got = run_step(session, step);
      ++out.steps;
      out.commands += step.commands.size();
      if (rewrites)
        step.expected = std::move(got);
      else if (got != step.expected)
        out.failure += difference(step, got);
    }
    text = rewrites ? to_text(file) : text;
  } catch (const script_error& e) {
    out.failure += (line > 0 ? "line " + std::to_string(line) + ": " : "") + e.what() + "\n";
  } catch (const invariant_violation& e) {
    out.failure += "line " + std::to_string(line) + ": violated: " + e.what() + "\n";
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
