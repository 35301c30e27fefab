#pragma once

#include "base/log.hpp"

#include <algorithm>
#include <mutex>
#include <vector>

namespace caucus::testing {

/// Keeps every line from info on. Thread-safe.
class recording_logger final : public logger {
public:
  bool enabled(log_level level) const noexcept override { return level >= log_level::info; }
  void write(log_level, std::string_view line) override {
    std::lock_guard guard{mutex_};
    lines_.emplace_back(line);
  }

  /// How many lines have `part` in them.
  [[nodiscard]] size_t count(std::string_view part) const {
    std::lock_guard guard{mutex_};
    return static_cast<size_t>(std::count_if(lines_.begin(), lines_.end(), [&](auto& line) {
      return line.find(part) != std::string::npos;
    }));
  }

private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

} // namespace caucus::testing
