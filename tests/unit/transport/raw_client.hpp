#pragma once

#include "transport/hello.hpp"
#include "transport/wire_format.hpp"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace caucus::transport {

/// A socket that says whatever a test wants, to a port of ours.
class raw_client {
public:
  raw_client() : descriptor_{::socket(AF_INET, SOCK_STREAM, 0)} {
    REQUIRE(descriptor_ >= 0);
    const timeval patience{10, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  explicit raw_client(const endpoint& where) : raw_client{} { connect(where); }
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;
  ~raw_client() { ::close(descriptor_); }

  void connect(const endpoint& where) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(where.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }

  /// With a reset, since it may have been sent something that it didn't read.
  void hang_up() { ::close(std::exchange(descriptor_, -1)); }

  void send(std::span<const std::byte> bytes) {
    // The other side may hang up in between, which is what many tests want.
    while (!bytes.empty()) {
      const auto n = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0)
        return;
      bytes = bytes.subspan(static_cast<size_t>(n));
    }
  }
  void send(std::string_view text) { send(std::as_bytes(std::span{text.data(), text.size()})); }
  void send(const frame& x) { send(x.bytes()); }

  /// Up to `bytes`, fewer only if the peer hung up.
  std::vector<std::byte> receive(size_t bytes) {
    std::vector<std::byte> got(bytes);
    size_t have = 0;
    while (have < bytes) {
      const auto n = ::recv(descriptor_, got.data() + have, bytes - have, 0);
      if (n <= 0) {
        timed_out_ = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
        break;
      }
      have += static_cast<size_t>(n);
    }
    got.resize(have);
    return got;
  }

  /// Whether the other side hangs up, in time; what it says before is skipped.
  bool is_hung_up_on() {
    while (!receive(1).empty())
      ;
    return !timed_out_;
  }

  hello_reply greet(const hello& x) {
    send(encode(x));
    const auto head = receive(frame_header_bytes);
    REQUIRE(head.size() == frame_header_bytes);
    const auto header =
      parse_header(std::span<const std::byte>{head}.first<frame_header_bytes>(), hello_bytes_max);
    REQUIRE(header.ok());
    REQUIRE(header->kind == frame_kind::hello_reply);
    const auto reply = decode_hello_reply(receive(header->length));
    REQUIRE(reply.ok());
    if (reply->refused == errc::none)
      send(make_keep_alive()); // It agrees in turn.
    return *reply;
  }

private:
  int descriptor_;
  bool timed_out_ = false;
};

inline hello make_hello(uint64_t from, uint64_t to, uint64_t boot = 1) {
  hello x;
  x.from = {cluster_id{7}, node_id{from}, directory_id{100 + from}, boot_count{boot}};
  x.to = node_id{to};
  return x;
}

} // namespace caucus::transport
