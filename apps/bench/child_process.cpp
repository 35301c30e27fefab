#include "apps/bench/child_process.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace caucus::bench {

namespace {

/// Between fork and exec: nothing that allocates.
[[noreturn]] void become(char* const* words, int in, int out, const char* log) {
  auto file = ::open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file >= 0 && ::dup2(in, 0) >= 0 && ::dup2(out, 1) >= 0 && ::dup2(file, 2) >= 0)
    ::execv("/proc/self/exe", words);
  ::_exit(127);
}

} // namespace

result<child_process> child_process::start(const std::vector<std::string>& arguments,
                                           const std::string& log) {
  int to[2], from[2];
  if (::pipe2(to, O_CLOEXEC) != 0)
    return error{errc::io_failed, std::string{"pipe: "} + std::strerror(errno)};
  if (::pipe2(from, O_CLOEXEC) != 0) {
    ::close(to[0]);
    ::close(to[1]);
    return error{errc::io_failed, std::string{"pipe: "} + std::strerror(errno)};
  }
  std::string program = "caucus-bench";
  std::vector<char*> words{program.data()};
  for (auto& argument : arguments)
    words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  auto pid = ::fork();
  if (pid == 0)
    become(words.data(), to[0], from[1], log.c_str());
  auto why = errno;
  ::close(to[0]);
  ::close(from[1]);
  if (pid < 0) {
    ::close(to[1]);
    ::close(from[0]);
    return error{errc::io_failed, std::string{"fork: "} + std::strerror(why)};
  }
  return child_process{pid, to[1], from[0]};
}

child_process::child_process(child_process&& other) noexcept
  : pid_{std::exchange(other.pid_, -1)},
    to_{std::exchange(other.to_, -1)},
    from_{std::exchange(other.from_, -1)},
    heard_{std::move(other.heard_)} {}

child_process& child_process::operator=(child_process&& other) noexcept {
  if (this != &other) {
    kill();
    pid_ = std::exchange(other.pid_, -1);
    to_ = std::exchange(other.to_, -1);
    from_ = std::exchange(other.from_, -1);
    heard_ = std::move(other.heard_);
  }
  return *this;
}

void child_process::signal_kill() noexcept {
  if (pid_ > 0)
    ::kill(pid_, SIGKILL);
}

void child_process::kill() noexcept {
  if (pid_ <= 0)
    return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  ::close(to_);
  ::close(from_);
  pid_ = to_ = from_ = -1;
  heard_.clear();
}

void child_process::say(const std::string& line) {
  auto text = line + '\n';
  size_t said = 0;
  while (said < text.size()) {
    auto n = ::write(to_, text.data() + said, text.size() - said);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return; // It has died: the answer won't come, which its asker notices.
    said += static_cast<size_t>(n);
  }
}

std::optional<std::string> child_process::hear(clock::time_point deadline) {
  for (;;) {
    if (auto end = heard_.find('\n'); end != std::string::npos) {
      auto line = heard_.substr(0, end);
      heard_.erase(0, end + 1);
      return line;
    }
    if (from_ < 0)
      return std::nullopt;
    auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now()).count();
    pollfd waiting{from_, POLLIN, 0};
    auto ready = ::poll(&waiting, 1, static_cast<int>(std::max<int64_t>(left, 0)));
    if (ready < 0 && errno == EINTR)
      continue;
    if (ready <= 0)
      return std::nullopt;
    char bytes[4096];
    auto n = ::read(from_, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return std::nullopt;
    heard_.append(bytes, static_cast<size_t>(n));
  }
}

} // namespace caucus::bench
