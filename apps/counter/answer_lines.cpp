#include "answer_lines.hpp"

#include <iostream>

namespace counter {

uint64_t answer_lines::reserve(size_t window) {
  std::unique_lock guard{mutex_};
  printed_.wait(guard, [&] { return lines_.size() < window; });
  lines_.emplace_back();
  return first_ + lines_.size() - 1;
}

void answer_lines::set(uint64_t number, std::string line) {
  std::lock_guard guard{mutex_};
  lines_[number - first_] = std::move(line);
  if (number != first_)
    return;
  while (!lines_.empty() && lines_.front()) {
    std::cout << *lines_.front() << '\n';
    lines_.pop_front();
    ++first_;
  }
  std::cout.flush();
  printed_.notify_all();
}

void answer_lines::wait_until_empty() {
  std::unique_lock guard{mutex_};
  printed_.wait(guard, [&] { return lines_.empty(); });
}

} // namespace counter
