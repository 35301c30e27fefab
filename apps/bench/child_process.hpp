#pragma once

#include "base/result.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace caucus::bench {

/// This program once more, with other arguments, spoken to line by line. Killed when it goes out of
/// scope.
class child_process {
public:
  using clock = std::chrono::steady_clock;

  /// Its stderr is appended to the file `log`.
  static result<child_process> start(const std::vector<std::string>& arguments,
                                     const std::string& log);

  child_process(child_process&& other) noexcept;
  child_process& operator=(child_process&& other) noexcept;
  ~child_process() { kill(); }

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] bool is_running() const noexcept { return pid_ > 0; }

  /// SIGKILL, and waits until it is gone.
  void kill() noexcept;
  /// Only the signal: what follows is the caller's time to measure.
  void signal_kill() noexcept;

  void say(const std::string& line);
  /// The next line, or nothing by the deadline or when the process has ended.
  std::optional<std::string> hear(clock::time_point deadline);

private:
  child_process(pid_t pid, int to, int from) noexcept : pid_{pid}, to_{to}, from_{from} {}

  pid_t pid_ = -1;
  int to_ = -1;
  int from_ = -1;
  std::string heard_; ///< Bytes that make no whole line yet.
};

} // namespace caucus::bench
