#pragma once

#include "transport/acceptor.hpp"
#include "transport/backoff.hpp"
#include "transport/connection.hpp"
#include "transport/dial.hpp"
#include "transport/hello.hpp"
#include "transport/transport.hpp"

#include <atomic>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

namespace caucus::transport {

/// TCP with one I/O thread. Everything below lives on that thread, except what `send` and
/// `send_bulk` use: `links_`, under its mutex. Which of two connections of a pair stays is decided
/// by the node with the lower id alone, since its own dial is the preferred one; see
/// `judge_second`.
///
/// A peer's bulk connection belongs to its main one, between the same runs of both nodes, and ends
/// with it. So who may have one needs no second judgement, and a dead peer no second timeout.
class tcp_transport final : public transport, private connection_owner {
public:
  explicit tcp_transport(transport_limits limits);
  ~tcp_transport() override;

  result<void> listen(const endpoint& where) { return acceptor_.open(where); }

  result<void> start(const node_identity& self, transport_listener& listener) override;
  void set_peers(const std::map<node_id, endpoint>& peers) override;
  void confirm_peer(node_id peer, directory_id directory) override;
  void adopt(const membership::founding& founding) override;
  bool send(node_id to, std::vector<routed_message> messages) override;
  bool send_bulk(node_id to, const bulk_message& message) override;
  void stop() override;
  [[nodiscard]] endpoint local_endpoint() const override { return acceptor_.local(); }

private:
  using time_point = steady_clock::time_point;

  /// One of the two connections of a pair, from the first dial to its end.
  struct channel {
    channel(asio::io_context& io, const backoff& schedule) : timer{io}, pauses{schedule} {}

    connection_ptr link; ///< Established.
    time_point link_since;
    std::shared_ptr<dial> dialling; ///< Connecting.
    connection_ptr greeting;        ///< Dialled by us: hello sent, answer awaited.
    asio::steady_timer timer;       ///< Until the next dial.
    bool is_pausing = false;        ///< The timer runs.
    backoff pauses;
  };

  /// What is known of one peer: of those in the table, and of others while they are connected.
  struct peer_state {
    peer_state(asio::io_context& io, const backoff& schedule)
      : main{io, schedule}, bulk{io, schedule} {}
    channel& of(peer_role role) { return role == peer_role::bulk ? bulk : main; }

    std::optional<endpoint> address; ///< In the table: to be dialled.
    channel main;
    channel bulk;
    bool is_bulk_awaited = false; ///< `send_bulk` said no. Only while `main` has a link.
    std::optional<directory_id> confirmed;
    time_point last_report;
  };

  /// Which connection of which peer.
  struct place {
    node_id peer;
    peer_role role = peer_role::member;
  };

  // I/O thread: the table
  void apply_peers(const std::map<node_id, endpoint>& peers);
  peer_state& state_of(node_id peer);
  void forget_if_unknown(node_id peer);
  void confirm(node_id peer, directory_id directory);
  void become(const membership::founding& founding);

  // I/O thread: dialling
  void dial_later(node_id peer, peer_role role);
  void dial_now(node_id peer, peer_role role);
  void on_dialled(node_id peer, peer_role role, result<std::shared_ptr<tcp::socket>> outcome);
  void abandon_dial(channel& way);
  void fail_dial(node_id peer, peer_role role, const error& reason);

  // I/O thread: greeting
  void on_accepted(tcp::socket socket);
  void on_hello(const connection_ptr& from, std::span<const std::byte> body);
  void on_hello_reply(const connection_ptr& from, std::span<const std::byte> body);
  std::optional<place> greeting_at(const connection_ptr& which);
  result<void> judge_second(const hello& x);
  void refuse(const connection_ptr& whom, const error& reason);
  void make_room();
  void establish(const connection_ptr& link, const node_identity& peer, peer_role role);
  void report_stranger(node_id claimed, const error& reason);

  // I/O thread: bulk
  void want_bulk(node_id peer);
  result<void> judge_bulk(const node_identity& peer);
  result<void> judge_second_bulk(const hello& x);
  void on_bulk(const connection_ptr& from, std::span<const std::byte> body,
               const std::shared_ptr<const void>& memory);
  void tell_bulk_ready(peer_state& peer, node_id id);
  void tell_bulk_down(peer_state& peer, node_id id, const error& reason);
  void end_bulk(peer_state& peer, node_id id, const error& reason);

  // I/O thread: connections
  void on_frame(const connection_ptr& from, const frame_header& header,
                std::span<const std::byte> body,
                const std::shared_ptr<const void>& memory) override;
  void on_agreed(const connection_ptr& with) override;
  void on_room(const connection_ptr& with) override;
  void on_closed(const connection_ptr& which, const error& reason) override;
  void on_link_closed(place where, const error& reason);
  void on_messages(const connection_ptr& from, std::span<const std::byte> body,
                   const std::shared_ptr<const void>& memory);
  void sweep_later();
  void sweep();
  void keep_alive(const connection_ptr& link, time_point now);
  void close_if_idle(const connection_ptr& bulk, time_point now);
  connection_ptr make_connection(tcp::socket socket, connection::direction who);
  [[nodiscard]] connection::purpose purpose_of(peer_role role) const;
  connection_ptr link_to(node_id peer, peer_role role);
  void run();
  void shut_down();

  transport_limits limits_;
  asio::io_context io_{1};
  acceptor acceptor_{io_};
  asio::steady_timer sweep_timer_{io_};
  node_identity self_;
  transport_listener* listener_ = nullptr;
  std::map<node_id, peer_state> peers_;
  std::set<connection_ptr> greeting_; ///< Every connection that is not established, nor closed.
  time_point last_stranger_report_;
  bool is_shut_down_ = false;

  std::mutex links_mutex_;
  std::map<std::pair<node_id, peer_role>, connection_ptr> links_;

  std::mutex stop_mutex_;
  std::thread thread_;
};

} // namespace caucus::transport
