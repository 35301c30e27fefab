#pragma once

#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "transport/asio.hpp"

#include <functional>
#include <memory>

namespace caucus::transport {

/// One attempt to reach an address: resolve the name, connect to whatever it stands for, in time.
/// Resolving happens on a thread of Asio's, so that a slow name server delays no link (RELIABILITY
/// L-13). I/O thread.
class dial : public std::enable_shared_from_this<dial> {
public:
  using callback = std::function<void(result<std::shared_ptr<tcp::socket>>)>;

  dial(asio::io_context& io, endpoint where) : where_{std::move(where)}, resolver_{io}, timer_{io} {
    socket_ = std::make_shared<tcp::socket>(io);
  }

  /// `done` is called once, unless `cancel` comes first.
  void start(std::chrono::milliseconds timeout, callback done);
  void cancel();

private:
  void connect(const tcp::resolver::results_type& found);
  void finish(result<std::shared_ptr<tcp::socket>> outcome);
  [[nodiscard]] error unreachable(const std::string& why) const;

  endpoint where_;
  tcp::resolver resolver_;
  asio::steady_timer timer_;
  std::shared_ptr<tcp::socket> socket_;
  callback done_; ///< Empty once finished or cancelled.
};

} // namespace caucus::transport
