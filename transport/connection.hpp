#pragma once

#include "transport/asio.hpp"
#include "transport/hello.hpp"
#include "transport/message_decoder.hpp"
#include "transport/receive_buffer.hpp"
#include "transport/send_queue.hpp"
#include "transport/wire_format.hpp"

#include <atomic>
#include <memory>

namespace caucus::transport {

class connection;
using connection_ptr = std::shared_ptr<connection>;

/// Told what happens on a connection, on the I/O thread.
class connection_owner {
public:
  virtual ~connection_owner() = default;
  /// `body` is intact; `memory` as in `message_decoder::decode`.
  virtual void on_frame(const connection_ptr& from, const frame_header& header,
                        std::span<const std::byte> body,
                        const std::shared_ptr<const void>& memory) = 0;
  /// Once, at the first frame of an established connection that is no refusal: who dialled has had
  /// the last word.
  virtual void on_agreed(const connection_ptr& with) = 0;
  /// After a refused `send` or `has_room`: half of the queue is free.
  virtual void on_room(const connection_ptr& with) = 0;
  /// Once, when the connection ends for whatever reason.
  virtual void on_closed(const connection_ptr& which, const error& reason) = 0;
};

/// One TCP connection: frames in, frames out. All on the I/O thread except `send`, which any thread
/// may call. The descriptor is closed by the destructor and not before, so that a sender never
/// writes into another connection's socket.
class connection : public std::enable_shared_from_this<connection> {
public:
  enum class direction { dialled, accepted };
  enum class phase {
    greeting,    ///< Waiting for the hello or for its answer.
    established, ///< Both sides agreed.
    refused,     ///< We said no, and wait for the peer to hang up.
    closed,
  };

  /// What a connection is for, and how much it may take.
  struct purpose {
    peer_role role = peer_role::member;
    uint32_t frame_bytes_max = 0;
    uint64_t queue_bytes_max = 0;
  };

  connection(tcp::socket socket, direction who, connection_owner& owner);

  /// Starts to read.
  void start();
  /// Any thread. False if the frames were not taken.
  bool send(std::vector<frame> frames);
  /// A stopgap for `send`: true if it would refuse anyway, so that encoding can be spared.
  [[nodiscard]] bool is_full() const { return queue_.is_full(); }

  /// True if `send` of so many bytes would not be refused for lack of room.
  bool has_room(uint64_t bytes) { return queue_.has_room(bytes); }

  void establish(const node_identity& peer, const purpose& why);
  /// Messages may be delivered from now on; until then they stay in the socket.
  void confirm();
  /// Sends the last frame and ends the stream after it.
  void refuse(frame last);
  void close(const error& reason);

  /// What the sweep asks: how long nothing came in, or nothing went out.
  [[nodiscard]] steady_clock::duration silent_in(steady_clock::time_point now) const;
  steady_clock::duration silent_out(steady_clock::time_point now);
  /// Since the last byte in either direction.
  steady_clock::duration unused(steady_clock::time_point now);
  [[nodiscard]] steady_clock::time_point started() const noexcept { return started_; }

  [[nodiscard]] phase state() const noexcept { return phase_; }
  [[nodiscard]] direction who_dialled() const noexcept { return direction_; }
  [[nodiscard]] peer_role role() const noexcept { return role_; }
  [[nodiscard]] const node_identity& peer() const noexcept { return peer_; }
  [[nodiscard]] const endpoint& remote() const noexcept { return remote_; }
  [[nodiscard]] message_decoder& decoder() noexcept { return decoder_; }

private:
  void read_more();
  void on_read(const error_code& status, size_t bytes);
  void go_on();
  /// Hands complete frames over; true if more should be read.
  bool take_frames();
  void act_on(send_queue::outcome outcome);
  void wait_writable();

  tcp::socket socket_;
  connection_owner& owner_;
  const direction direction_;
  phase phase_ = phase::greeting;
  peer_role role_ = peer_role::member; ///< Once established.
  node_identity peer_;                 ///< Likewise.
  endpoint remote_;
  uint32_t body_bytes_max_ = hello_bytes_max;
  bool is_confirmed_ = false;
  bool is_agreed_ = false; ///< Who was dialled agrees by its answer, who dialled by what follows.
  bool is_held_ =
    false; ///< A frame with something to deliver waits for `confirm`; nothing is read.
  receive_buffer input_{frame_header_bytes};
  message_decoder decoder_;
  send_queue queue_;
  const steady_clock::time_point started_ = steady_clock::now();
  steady_clock::time_point last_in_ = started_;
  steady_clock::time_point last_out_ = started_;
  uint64_t written_then_ = 0; ///< What was written at `last_out_`.
};

} // namespace caucus::transport
