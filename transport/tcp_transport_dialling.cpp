// From an address to a connection that has said hello, and the pauses between attempts.
#include "transport/tcp_transport.hpp"

namespace caucus::transport {

void tcp_transport::dial_later(node_id id, peer_role role) {
  const auto found = peers_.find(id);
  if (found == peers_.end() || !found->second.address)
    return;
  auto& way = found->second.of(role);
  way.is_pausing = true;
  way.timer.expires_after(way.pauses.next());
  way.timer.async_wait([this, id, role](const error_code& status) {
    if (!status && !is_shut_down_)
      dial_now(id, role);
  });
}

void tcp_transport::dial_now(node_id id, peer_role role) {
  const auto found = peers_.find(id);
  if (found == peers_.end() || !found->second.address)
    return;
  auto& peer = found->second;
  auto& way = peer.of(role);
  way.is_pausing = false;
  if (way.link || way.dialling || way.greeting)
    return;
  if (role == peer_role::bulk && !peer.is_bulk_awaited)
    return;
  way.dialling = std::make_shared<dial>(io_, *peer.address);
  way.dialling->start(limits_.hello_timeout,
                      [this, id, role](result<std::shared_ptr<tcp::socket>> outcome) {
                        if (!is_shut_down_)
                          on_dialled(id, role, std::move(outcome));
                      });
}

void tcp_transport::on_dialled(node_id id, peer_role role,
                               result<std::shared_ptr<tcp::socket>> outcome) {
  auto& way = peers_.at(id).of(role); // A dial is cancelled before its peer is forgotten.
  way.dialling.reset();
  if (!outcome) {
    fail_dial(id, role, outcome.reason());
    return;
  }
  way.greeting = make_connection(std::move(**outcome), connection::direction::dialled);
  hello x;
  x.role = role;
  x.from = self_;
  x.to = id;
  const auto link = way.greeting;
  link->send(just(encode(x)));
  link->start();
}

void tcp_transport::abandon_dial(channel& way) {
  if (auto attempt = std::exchange(way.dialling, {}))
    attempt->cancel();
  if (auto greeting = std::exchange(way.greeting, {}))
    greeting->close({errc::already_exists, "another connection stays"});
}

void tcp_transport::fail_dial(node_id id, peer_role role, const error& reason) {
  auto& peer = peers_.at(id);
  auto& way = peer.of(role);
  if (auto greeting = std::exchange(way.greeting, {}))
    greeting->close(reason);
  dial_later(id, role);
  // Two dialled at once, and the other's connection stays: nothing is lost.
  if (way.link || reason.code == errc::already_exists)
    return;
  if (role != peer_role::bulk)
    listener_->on_peer_down(id, reason);
  else if (peer.is_bulk_awaited)
    tell_bulk_down(peer, id, reason);
}

} // namespace caucus::transport
