#pragma once

namespace counter {

/// Parses the command line and runs what it says. Returns the exit status, or ends the process with
/// it: 0 done, 1 refused or failed, 2 a wrong command line, 3 an outcome that is unknown.
int run_command_line(int argc, char** argv);

} // namespace counter
