#pragma once

#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "transport/asio.hpp"

#include <functional>

namespace caucus::transport {

/// Listens on one address. Without free descriptors it waits and tries again; connections that
/// exist are not touched (RELIABILITY E-08). I/O thread, except `open`.
class acceptor {
public:
  explicit acceptor(asio::io_context& io) : io_{io}, socket_{io}, pause_{io} {}

  /// Binds and listens. `in_use` or `invalid_argument` names the address.
  result<void> open(const endpoint& where);
  void start(std::function<void(tcp::socket)> on_accepted);
  void stop();
  [[nodiscard]] endpoint local() const { return local_; }

private:
  void accept_next();
  void accept_later();

  asio::io_context& io_;
  tcp::acceptor socket_;
  asio::steady_timer pause_;
  endpoint local_;
  std::function<void(tcp::socket)> on_accepted_;
};

} // namespace caucus::transport
