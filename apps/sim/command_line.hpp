#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace caucus::sim {

/// What was asked for on the command line.
struct settings {
  uint64_t seed = 1;
  uint64_t seeds = 1;
  std::optional<uint64_t> events;
  std::vector<std::string> assignments; ///< `--set name=value`
  std::string trace_file;
  std::string history_file;
  std::string check_history_file;
  std::string dump_directory;
  std::string plant;
  bool as_json = false;
  bool is_checked = true;
  bool shrinks = true;
  bool keeps_going = false;
  bool is_strict = false; ///< A part of the protocol, or a fault, that was never met is a failure.
};

struct command_line {
  struct settings settings;
  std::optional<int> exit_code; ///< The program ends with it at once (help, or a mistake).
};

command_line parse_command_line(int argc, char** argv);

} // namespace caucus::sim
