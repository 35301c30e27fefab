#pragma once

#include <filesystem>
#include <string>

namespace caucus::golden {

struct trace_outcome {
  size_t steps = 0;
  size_t commands = 0;
  std::string failure; ///< Empty if every step said what was expected.
};

/// Executes a trace. With `rewrites`, what is expected becomes what came; `text` is changed then. A
/// script that is wrong by itself, a fact that isn't so and a violated invariant fail either way.
trace_outcome run_trace(std::string& text, bool rewrites);

/// The same for a file, which is rewritten in place.
trace_outcome run_trace_file(const std::filesystem::path& path, bool rewrites);

} // namespace caucus::golden
