#include "host_probe.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace counter {

namespace {

using clock = std::chrono::steady_clock;

/// Connections that are coming up, to all addresses that a host's name stands for.
class attempts {
public:
  explicit attempts(const address& where) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    auto port = std::to_string(where.port);
    if (::getaddrinfo(where.host.c_str(), port.c_str(), &hints, &found) != 0)
      return;
    std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> guard{found, &::freeaddrinfo};
    for (auto* one = found; one != nullptr; one = one->ai_next)
      begin(*one);
  }
  attempts(const attempts&) = delete;
  attempts& operator=(const attempts&) = delete;
  ~attempts() {
    for (auto& one : under_way_)
      ::close(one.fd);
  }

  bool one_succeeds(clock::time_point deadline) {
    while (!under_way_.empty()) {
      auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now());
      if (left.count() <= 0)
        return false;
      auto ended = ::poll(under_way_.data(), under_way_.size(), static_cast<int>(left.count()));
      if (ended < 0 && errno != EINTR)
        return false;
      if (ended > 0 && take_ended())
        return true;
    }
    return false;
  }

private:
  void begin(const addrinfo& to) {
    int descriptor = ::socket(to.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
      return;
    under_way_.push_back({.fd = descriptor, .events = POLLOUT, .revents = 0});
    if (::connect(descriptor, to.ai_addr, to.ai_addrlen) != 0 && errno != EINPROGRESS) {
      ::close(descriptor);
      under_way_.pop_back();
    }
  }

  /// Whether one has come up; those that failed are gone.
  bool take_ended() {
    bool is_up = false;
    std::erase_if(under_way_, [&](const pollfd& one) {
      if (one.revents == 0)
        return false;
      int why = 0;
      socklen_t size = sizeof why;
      if (::getsockopt(one.fd, SOL_SOCKET, SO_ERROR, &why, &size) == 0 && why == 0) {
        is_up = true;
        return false;
      }
      ::close(one.fd);
      return true;
    });
    return is_up;
  }

  std::vector<pollfd> under_way_;
};

} // namespace

bool is_reachable(const address& where, std::chrono::milliseconds patience) {
  auto deadline = clock::now() + patience;
  return attempts{where}.one_succeeds(deadline);
}

} // namespace counter
