#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

namespace counter {

/// Prints the answers of a shell in the order of its lines, each as soon as all before it are
/// there. Thread-safe.
class answer_lines {
public:
  /// Waits until less than `window` answers are missing, then makes room for one more; what is
  /// returned names it.
  uint64_t reserve(size_t window);
  void set(uint64_t number, std::string line);
  void wait_until_empty();

private:
  std::mutex mutex_;
  std::condition_variable printed_;
  std::deque<std::optional<std::string>> lines_; ///< Numbers first_, first_ + 1, …
  uint64_t first_ = 0;
};

} // namespace counter
