#include "transport/acceptor.hpp"

#include <fcntl.h>

namespace caucus::transport {

namespace {

constexpr std::chrono::milliseconds pause_after_failure{100};

result<tcp::endpoint> resolve_own(asio::io_context& io, const endpoint& where) {
  if (where.host == "*" || where.host.empty())
    return tcp::endpoint{tcp::v4(), where.port};
  error_code status;
  if (auto address = asio::ip::make_address(where.host, status); !status)
    return tcp::endpoint{address, where.port};
  tcp::resolver resolver{io};
  auto found = resolver.resolve(where.host, std::to_string(where.port), status);
  if (status || found.empty())
    return error{errc::invalid_argument,
                 "can't listen on " + to_string(where) + ": its host is unknown here"};
  return found.begin()->endpoint();
}

error cannot_listen(const endpoint& where, const error_code& status) {
  if (status == asio::error::address_in_use)
    return {errc::in_use, "can't listen on " + to_string(where)
                            + ": the address is in use by another process; choose another port"};
  return {errc::invalid_argument, "can't listen on " + to_string(where) + ": " + status.message()};
}

} // namespace

result<void> acceptor::open(const endpoint& where) {
  auto address = resolve_own(io_, where);
  if (!address)
    return std::move(address).reason();
  error_code status;
  socket_.open(address->protocol(), status);
  if (!status)
    socket_.set_option(tcp::acceptor::reuse_address{true}, status);
  if (!status)
    socket_.bind(*address, status);
  if (!status)
    socket_.listen(tcp::acceptor::max_listen_connections, status);
  if (!status)
    local_ = {where.host, socket_.local_endpoint(status).port()};
  if (status)
    return cannot_listen(where, status);
  ::fcntl(socket_.native_handle(), F_SETFD, FD_CLOEXEC);
  return {};
}

void acceptor::start(std::function<void(tcp::socket)> on_accepted) {
  on_accepted_ = std::move(on_accepted);
  accept_next();
}

void acceptor::stop() {
  error_code ignored;
  socket_.close(ignored);
  pause_.cancel();
}

void acceptor::accept_next() {
  socket_.async_accept([this](const error_code& status, tcp::socket accepted) {
    if (!socket_.is_open())
      return;
    if (status && status != asio::error::connection_aborted) {
      accept_later();
      return;
    }
    accept_next(); // First: a connection that fails must not be the last one accepted.
    if (!status)
      on_accepted_(std::move(accepted));
  });
}

void acceptor::accept_later() {
  pause_.expires_after(pause_after_failure);
  pause_.async_wait([this](const error_code& status) {
    if (!status && socket_.is_open())
      accept_next();
  });
}

} // namespace caucus::transport
