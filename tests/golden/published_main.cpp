#include "tests/golden/published_script.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

namespace {

using namespace caucus;

/// @returns whether the whole script was played and every fact was the same.
bool play(const std::filesystem::path& path, golden::published_script::outcome& total) {
  std::ifstream file{path};
  std::stringstream text;
  text << file.rdbuf();
  const auto cases = datadriven::parse_cases(text.str());
  golden::published_script::outcome done;
  if (!file || !cases)
    done.failures.push_back(file ? cases.reason().what : "can't be read");
  else
    done = golden::published_script{}.play(*cases);
  total.commands += done.commands;
  total.facts += done.facts;
  std::cout << (done.failures.empty() ? "pass " : "FAIL ") << path.filename().string() << ": "
            << done.commands << " commands, " << done.facts << " facts\n";
  for (const auto& failure : done.failures)
    std::cout << "    " << failure << '\n';
  return done.failures.empty();
}

} // namespace

/// Plays the published interaction scripts of a directory, or single ones.
int main(int argc, char** argv) {
  std::vector<std::filesystem::path> paths;
  for (int i = 1; i < argc; ++i)
    if (std::filesystem::is_directory(argv[i])) {
      for (const auto& file : std::filesystem::directory_iterator{argv[i]})
        if (file.path().extension() == ".txt")
          paths.push_back(file.path());
    } else if (std::filesystem::exists(argv[i])) {
      paths.emplace_back(argv[i]);
    }
  std::ranges::sort(paths);
  if (paths.empty()) {
    std::cout << "there is no script at " << (argc > 1 ? argv[1] : "no path") << '\n';
    return 1;
  }
  golden::published_script::outcome total;
  size_t failed = 0;
  for (const auto& path : paths)
    failed += play(path, total) ? 0 : 1;
  std::cout << paths.size() << " scripts, " << total.commands << " commands, " << total.facts
            << " facts, " << failed << " failed\n";
  return failed == 0 ? 0 : 1;
}
