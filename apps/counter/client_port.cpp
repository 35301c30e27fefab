#include "client_port.hpp"

#include <cerrno>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

namespace counter {

caucus::result<client_port> client_port::reserve(const caucus::endpoint& where) {
  auto failed = [&](const std::string& why) {
    return caucus::error{caucus::errc::in_use, "can't serve clients at " + to_string(where) + ": "
                                                 + why + "; give another address with --client"};
  };
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  auto port = std::to_string(where.port);
  if (auto status = ::getaddrinfo(where.host.c_str(), port.c_str(), &hints, &found); status != 0)
    return failed(::gai_strerror(status));
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> guard{found, &::freeaddrinfo};
  int descriptor = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0)
    return failed(std::strerror(errno));
  client_port held{descriptor};
  int yes = 1;
  if (::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0
      || ::bind(descriptor, found->ai_addr, found->ai_addrlen) != 0)
    return failed(std::strerror(errno));
  return held;
}

client_port::~client_port() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

} // namespace counter
