// The second connection of a pair, for snapshots.
#include "transport/bulk_codec.hpp"
#include "transport/tcp_transport.hpp"

#include <boost/asio/post.hpp>

namespace caucus::transport {

bool tcp_transport::send_bulk(node_id to, const bulk_message& message) {
  if (const auto link = link_to(to, peer_role::bulk)) {
    if (!link->has_room(encoded_bytes_max(message)))
      return false; // `on_room` or `on_closed` follows.
    if (link->send(just(encode(message))))
      return true;
  }
  asio::post(io_, [this, to] { want_bulk(to); });
  return false;
}

/// Somebody was refused: it is told as soon as there is something to tell.
void tcp_transport::want_bulk(node_id id) {
  if (is_shut_down_)
    return;
  const auto found = peers_.find(id);
  if (found == peers_.end() || !found->second.main.link) {
    listener_->on_bulk_down(
      id, {errc::unreachable, "node " + std::to_string(id.value()) + " is not connected"});
    return;
  }
  auto& peer = found->second;
  peer.is_bulk_awaited = true;
  if (link_to(id, peer_role::bulk))
    return tell_bulk_ready(peer, id);
  if (peer.bulk.link)
    return; // It dialled, and has not agreed yet.
  if (!peer.address)
    return tell_bulk_down(peer, id,
                          {errc::unreachable, "node " + std::to_string(id.value())
                                                + " is no peer that could be dialled"});
  if (!peer.bulk.is_pausing)
    dial_now(id, peer_role::bulk);
}

/// The same run of the same node as the main connection's.
result<void> tcp_transport::judge_bulk(const node_identity& peer) {
  const auto found = peers_.find(peer.node);
  if (found != peers_.end())
    if (const auto& link = found->second.main.link;
        link && link->peer().directory == peer.directory && link->peer().boot == peer.boot)
      return {};
  return error{errc::unreachable, "node " + std::to_string(self_.node.value())
                                    + " has no connection with boot "
                                    + std::to_string(peer.boot.value()) + " of node "
                                    + std::to_string(peer.node.value()) + " that this could serve"};
}

/// Of two dials at once the lower node's stays, as of main connections. @see judge_second
result<void> tcp_transport::judge_second_bulk(const hello& x) {
  if (auto verdict = judge_bulk(x.from); !verdict)
    return verdict;
  const auto& bulk = peers_.at(x.from.node).bulk;
  const bool ours_stays = self_.node < x.from.node;
  const bool is_ours =
    bulk.greeting || (bulk.link && bulk.link->who_dialled() == connection::direction::dialled);
  if (ours_stays && is_ours)
    return error{errc::already_exists, "a bulk connection exists already or is about to"};
  return {};
}

void tcp_transport::on_bulk(const connection_ptr& from, std::span<const std::byte> body,
                            const std::shared_ptr<const void>& memory) {
  auto message = decode_bulk(body, memory);
  if (!message)
    from->close({errc::malformed, to_string(from->remote()) + ": " + message.reason().what});
  else
    listener_->on_bulk(from->peer().node, *std::move(message));
}

void tcp_transport::on_room(const connection_ptr& with) {
  if (is_shut_down_ || with->role() != peer_role::bulk)
    return;
  const auto id = with->peer().node;
  tell_bulk_ready(peers_.at(id), id);
}

void tcp_transport::tell_bulk_ready(peer_state& peer, node_id id) {
  peer.is_bulk_awaited = false;
  listener_->on_bulk_ready(id);
}

void tcp_transport::tell_bulk_down(peer_state& peer, node_id id, const error& reason) {
  peer.is_bulk_awaited = false;
  listener_->on_bulk_down(id, reason);
}

/// The main connection ended.
void tcp_transport::end_bulk(peer_state& peer, node_id id, const error& reason) {
  abandon_dial(peer.bulk);
  if (const auto link = peer.bulk.link)
    link->close(reason);
  else if (peer.is_bulk_awaited)
    tell_bulk_down(peer, id, reason);
}

void tcp_transport::close_if_idle(const connection_ptr& bulk, time_point now) {
  if (bulk->unused(now) > limits_.bulk_idle_timeout)
    bulk->close({errc::unreachable, "nothing moved on the bulk connection to node "
                                      + std::to_string(bulk->peer().node.value()) + " for "
                                      + std::to_string(limits_.bulk_idle_timeout.count()) + " ms"});
}

} // namespace caucus::transport
