#include "transport/connection.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <netinet/tcp.h>

namespace caucus::transport {

namespace {

constexpr size_t read_chunk_bytes = size_t{64} * 1024;
/// What the kernel may hold and not have sent yet. More would only stand before heartbeats on a
/// slow link (RELIABILITY S-75).
constexpr int unsent_bytes_max = 256 * 1024;

/// Until it is known what a connection is for: a hello, its answer, a keep-alive.
constexpr uint64_t greeting_queue_bytes_max = 4 * hello_bytes_max;
/// Linux's TC_PRIO_BULK: this host's own queue lets other packets go first.
constexpr int bulk_priority = 2;

endpoint remote_of(const tcp::socket& socket) {
  error_code status;
  const auto remote = socket.remote_endpoint(status);
  if (status)
    return {"?", 0};
  return {remote.address().to_string(), remote.port()};
}

/// Failures here cost speed, not correctness.
void tune(tcp::socket& socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay{true}, ignored);
  socket.non_blocking(true, ignored);
  const auto descriptor = socket.native_handle();
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_bytes_max,
               sizeof unsent_bytes_max);
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

} // namespace

connection::connection(tcp::socket socket, direction who, connection_owner& owner)
  : socket_{std::move(socket)},
    owner_{owner},
    direction_{who},
    remote_{remote_of(socket_)},
    queue_{socket_.native_handle(), greeting_queue_bytes_max} {
  tune(socket_);
}

void connection::start() { read_more(); }

bool connection::send(std::vector<frame> frames) {
  const auto outcome = queue_.push(std::move(frames));
  act_on(outcome);
  return outcome == send_queue::outcome::done || outcome == send_queue::outcome::blocked;
}

void connection::act_on(send_queue::outcome outcome) {
  if (outcome == send_queue::outcome::blocked)
    asio::post(socket_.get_executor(), [self = shared_from_this()] { self->wait_writable(); });
  else if (outcome == send_queue::outcome::failed)
    asio::post(socket_.get_executor(), [self = shared_from_this()] {
      self->close({errc::unreachable, "writing to " + to_string(self->remote_)
                                        + " failed: " + std::strerror(self->queue_.last_errno())});
    });
  if (queue_.takes_again())
    asio::post(socket_.get_executor(), [self = shared_from_this()] {
      if (self->phase_ != phase::closed)
        self->owner_.on_room(self);
    });
}

void connection::wait_writable() {
  if (phase_ == phase::closed)
    return;
  socket_.async_wait(tcp::socket::wait_write,
                     [self = shared_from_this()](const error_code& status) {
                       if (!status && self->phase_ != phase::closed)
                         self->act_on(self->queue_.resume());
                     });
}

void connection::establish(const node_identity& peer, const purpose& why) {
  phase_ = phase::established;
  is_agreed_ = direction_ == direction::dialled;
  peer_ = peer;
  role_ = why.role;
  body_bytes_max_ = why.frame_bytes_max;
  queue_.set_bytes_max(why.queue_bytes_max);
  if (role_ == peer_role::bulk)
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_PRIORITY, &bulk_priority,
                 sizeof bulk_priority);
  input_.set_chunk_bytes(read_chunk_bytes);
}

void connection::confirm() {
  is_confirmed_ = true;
  if (!std::exchange(is_held_, false))
    return;
  go_on();
}

void connection::refuse(frame last) {
  send(just(std::move(last)));
  phase_ = phase::refused;
  // Closing at once could make the peer's kernel drop the refusal unread.
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
}

void connection::close(const error& reason) {
  if (std::exchange(phase_, phase::closed) == phase::closed)
    return;
  queue_.close();
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_both, ignored);
  socket_.cancel(ignored);
  owner_.on_closed(shared_from_this(), reason);
}

steady_clock::duration connection::silent_in(steady_clock::time_point now) const {
  return is_held_ ? steady_clock::duration::zero() : now - last_in_;
}

steady_clock::duration connection::silent_out(steady_clock::time_point now) {
  if (const auto written = queue_.written(); written != written_then_ || !queue_.is_empty()) {
    written_then_ = written;
    last_out_ = now;
  }
  return now - last_out_;
}

steady_clock::duration connection::unused(steady_clock::time_point now) {
  if (const auto written = queue_.written(); written != written_then_) {
    written_then_ = written;
    last_out_ = now;
  }
  return now - std::max(last_in_, last_out_);
}

void connection::read_more() {
  const auto room = input_.writable();
  socket_.async_read_some(asio::buffer(room.data(), room.size()),
                          [self = shared_from_this()](const error_code& status, size_t bytes) {
                            self->on_read(status, bytes);
                          });
}

void connection::on_read(const error_code& status, size_t bytes) {
  if (phase_ == phase::closed)
    return;
  if (status) {
    const auto why =
      status == asio::error::eof ? std::string{"the peer hung up"} : status.message();
    close({errc::unreachable, to_string(remote_) + ": " + why});
    return;
  }
  input_.commit(bytes);
  go_on();
}

void connection::go_on() {
  last_in_ = steady_clock::now();
  // What goes wrong in here, memory for instance, must end this connection only.
  try {
    if (take_frames())
      read_more();
  } catch (const std::exception& x) {
    close({errc::malformed, to_string(remote_) + ": " + x.what()});
  }
}

bool connection::take_frames() {
  while (phase_ != phase::closed) {
    const auto bytes = input_.readable();
    if (phase_ == phase::refused) {
      input_.consume(bytes.size());
      return true;
    }
    if (bytes.size() < frame_header_bytes) {
      input_.expect(frame_header_bytes);
      return true;
    }
    const auto header = parse_header(bytes.first<frame_header_bytes>(), body_bytes_max_);
    if (!header) {
      close({header.reason().code, to_string(remote_) + ": " + header.reason().what});
      return false;
    }
    const auto size = frame_header_bytes + header->length;
    if (bytes.size() < size) {
      input_.expect(size);
      return true;
    }
    const auto body = bytes.subspan(frame_header_bytes, header->length);
    if (!is_intact(*header, body)) {
      close({errc::malformed, to_string(remote_) + ": the checksum of a frame is wrong"});
      return false;
    }
    if (phase_ == phase::established && header->kind != frame_kind::hello_reply
        && !std::exchange(is_agreed_, true))
      owner_.on_agreed(shared_from_this());
    const bool has_content =
      header->kind == frame_kind::messages || header->kind == frame_kind::bulk;
    if (has_content && phase_ == phase::established && !is_confirmed_) {
      is_held_ = true;
      return false;
    }
    owner_.on_frame(shared_from_this(), *header, body, input_.owner());
    input_.consume(size);
  }
  return false;
}

} // namespace caucus::transport
