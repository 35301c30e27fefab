#include "apps/sim/command_line.hpp"
#include "apps/sim/sweep.hpp"

int main(int argc, char** argv) {
  auto asked = caucus::sim::parse_command_line(argc, argv);
  if (asked.exit_code)
    return *asked.exit_code;
  return caucus::sim::sweep(asked.settings);
}
