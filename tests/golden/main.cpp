#include "tests/support/golden/run_trace.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <vector>

namespace {

using namespace caucus::golden;

std::vector<std::filesystem::path> traces_in(const std::filesystem::path& where) {
  if (!std::filesystem::is_directory(where))
    return {where};
  std::vector<std::filesystem::path> out;
  for (const auto& file : std::filesystem::directory_iterator{where})
    if (file.path().extension() == ".txt")
      out.push_back(file.path());
  std::ranges::sort(out);
  return out;
}

} // namespace

/// Runs golden traces: files, or all of a directory. `CAUCUS_REWRITE=1` writes what came into them.
int main(int argc, char** argv) {
  const char* rewrite = std::getenv("CAUCUS_REWRITE");
  const bool rewrites = rewrite != nullptr && std::string_view{rewrite} == "1";
  size_t files = 0;
  size_t failed = 0;
  trace_outcome total;
  for (int i = 1; i < argc; ++i)
    for (const auto& path : traces_in(argv[i])) {
      const auto done = run_trace_file(path, rewrites);
      ++files;
      total.steps += done.steps;
      total.commands += done.commands;
      failed += done.failure.empty() ? 0 : 1;
      std::cout << (done.failure.empty() ? "pass " : "FAIL ") << path.string() << '\n'
                << done.failure;
    }
  std::cout << files << " traces, " << total.steps << " steps, " << total.commands << " commands, "
            << failed << " failed" << (rewrites ? ", rewritten" : "") << '\n';
  return files > 0 && failed == 0 ? 0 : 1;
}
