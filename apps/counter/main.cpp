// caucus-counter: a replicated counter, its nodes and its clients.

#include "client_system.hpp"
#include "command_line.hpp"

#include <exception>
#include <iostream>

int main(int argc, char** argv) {
  try {
    return counter::run_command_line(argc, argv);
  } catch (const std::exception& problem) {
    std::cerr << "caucus-counter: " << problem.what() << std::endl;
    counter::leave(1);
  }
}
