#pragma once

#include <string>
#include <string_view>

namespace caucus {

enum class log_level { trace, debug, info, warning, error };

/// Where log lines go. Lines are `key=value`, one per state transition at info. Thread-safe; never
/// blocks on a slow sink longer than its own queue. The shells own one; the pure parts never log.
class logger {
public:
  virtual ~logger() = default;
  virtual bool enabled(log_level level) const noexcept = 0;
  virtual void write(log_level level, std::string_view line) = 0;

  void info(std::string_view line) { write_if(log_level::info, line); }
  void warning(std::string_view line) { write_if(log_level::warning, line); }
  void error(std::string_view line) { write_if(log_level::error, line); }
  void debug(std::string_view line) { write_if(log_level::debug, line); }

private:
  void write_if(log_level level, std::string_view line) {
    if (enabled(level))
      write(level, line);
  }
};

/// Drops everything.
class null_logger final : public logger {
public:
  bool enabled(log_level) const noexcept override { return false; }
  void write(log_level, std::string_view) override {}
};

} // namespace caucus
