#include "transport/dial.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>

namespace caucus::transport {

void dial::start(std::chrono::milliseconds timeout, callback done) {
  done_ = std::move(done);
  timer_.expires_after(timeout);
  timer_.async_wait([self = shared_from_this(), timeout](const error_code& status) {
    if (!status)
      self->finish(
        self->unreachable("no answer within " + std::to_string(timeout.count()) + " ms"));
  });
  error_code status;
  if (const auto address = asio::ip::make_address(where_.host, status); !status) {
    connect(tcp::resolver::results_type::create(tcp::endpoint{address, where_.port}, where_.host,
                                                std::to_string(where_.port)));
    return;
  }
  resolver_.async_resolve(
    where_.host, std::to_string(where_.port),
    [self = shared_from_this()](const error_code& failed, auto found) {
      if (failed)
        self->finish(self->unreachable("its name does not resolve: " + failed.message()));
      else if (self->done_)
        self->connect(found);
    });
}

void dial::connect(const tcp::resolver::results_type& found) {
  asio::async_connect(*socket_, found,
                      [self = shared_from_this()](const error_code& status, const tcp::endpoint&) {
                        if (status)
                          self->finish(self->unreachable(status.message()));
                        else
                          self->finish(self->socket_);
                      });
}

void dial::finish(result<std::shared_ptr<tcp::socket>> outcome) {
  const auto done = std::exchange(done_, {});
  timer_.cancel();
  if (!done)
    return;
  if (!outcome)
    cancel();
  done(std::move(outcome));
}

void dial::cancel() {
  done_ = {};
  error_code ignored;
  timer_.cancel();
  resolver_.cancel();
  socket_->close(ignored);
}

error dial::unreachable(const std::string& why) const {
  return {errc::unreachable, to_string(where_) + ": " + why};
}

} // namespace caucus::transport
