#include "apps/sim/command_line.hpp"
#include "apps/sim/sweep.hpp"

#include <filesystem>
#include <iostream>

int main(int argc, char** argv) {
  auto asked = caucus::sim::parse_command_line(argc, argv);
  if (asked.exit_code)
    return *asked.exit_code;
  if (const auto& file = asked.settings.check_history_file; !file.empty())
    return caucus::sim::judge_history(file);
  try {
    return caucus::sim::sweep(asked.settings);
  } catch (const std::filesystem::filesystem_error& failed) {
    std::cerr << "caucus-sim: " << failed.what() << '\n';
    return 2;
  }
}
