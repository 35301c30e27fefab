#include "transport/tcp_transport.hpp"

#include "base/assert.hpp"
#include "transport/bulk_codec.hpp"
#include "transport/message_encoder.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <pthread.h>

namespace caucus::transport {

tcp_transport::tcp_transport(transport_limits limits) : limits_{limits} {}

tcp_transport::~tcp_transport() { stop(); }

result<void> tcp_transport::start(const node_identity& self, transport_listener& listener) {
  if (thread_.joinable() || listener_ != nullptr)
    return error{errc::invalid_argument, "the transport was started before"};
  self_ = self;
  listener_ = &listener;
  acceptor_.start([this](tcp::socket socket) { on_accepted(std::move(socket)); });
  sweep_later();
  thread_ = std::thread{[this] { run(); }};
  ::pthread_setname_np(thread_.native_handle(), "caucus.io");
  return {};
}

void tcp_transport::run() {
  auto work = asio::make_work_guard(io_);
  for (;;) {
    // Handlers don't throw but for lack of memory; then the one that failed is lost and no other.
    try {
      io_.run();
      return;
    } catch (const std::exception&) {
      continue;
    }
  }
}

void tcp_transport::stop() {
  std::lock_guard guard{stop_mutex_};
  if (!thread_.joinable())
    return;
  CAUCUS_ASSERT(thread_.get_id() != std::this_thread::get_id());
  asio::post(io_, [this] {
    shut_down();
    // Behind what was cancelled, so that the sockets are closed when `stop` returns.
    asio::post(io_, [this] { io_.stop(); });
  });
  thread_.join();
}

void tcp_transport::shut_down() {
  is_shut_down_ = true;
  acceptor_.stop();
  sweep_timer_.cancel();
  {
    std::lock_guard guard{links_mutex_};
    links_.clear();
  }
  const error reason{errc::stopping, "this node stops"};
  for (auto& [id, peer] : peers_) {
    for (auto* way : {&peer.main, &peer.bulk}) {
      way->timer.cancel();
      if (way->dialling)
        way->dialling->cancel();
      if (auto link = std::exchange(way->link, {}))
        link->close(reason);
    }
  }
  for (const auto& x : std::set<connection_ptr>{greeting_})
    x->close(reason);
  greeting_.clear();
  peers_.clear();
}

void tcp_transport::set_peers(const std::map<node_id, endpoint>& peers) {
  asio::post(io_, [this, peers] { apply_peers(peers); });
}

void tcp_transport::confirm_peer(node_id peer, directory_id directory) {
  asio::post(io_, [this, peer, directory] { confirm(peer, directory); });
}

void tcp_transport::adopt(const membership::founding& founding) {
  asio::post(io_, [this, founding] { become(founding); });
}

bool tcp_transport::send(node_id to, std::vector<routed_message> messages) {
  if (messages.empty())
    return true;
  const auto link = link_to(to, peer_role::member);
  if (!link || link->is_full())
    return false;
  auto frames = encode_messages(messages, limits_.frame_bytes_max);
  return !frames.empty() && link->send(std::move(frames));
}

connection_ptr tcp_transport::link_to(node_id peer, peer_role role) {
  std::lock_guard guard{links_mutex_};
  const auto found = links_.find({peer, role});
  return found == links_.end() ? connection_ptr{} : found->second;
}

void tcp_transport::apply_peers(const std::map<node_id, endpoint>& peers) {
  if (is_shut_down_)
    return;
  std::vector<node_id> dropped;
  for (auto& [id, peer] : peers_)
    if (!peers.contains(id))
      dropped.push_back(id);
  for (auto id : dropped) {
    auto& peer = peers_.at(id);
    peer.address.reset();
    peer.main.timer.cancel();
    abandon_dial(peer.main);
    if (auto link = peer.main.link)
      link->close(
        {errc::unreachable, "node " + std::to_string(id.value()) + " is no peer any more"});
    forget_if_unknown(id);
  }
  for (const auto& [id, address] : peers) {
    if (id == self_.node)
      continue;
    auto& peer = state_of(id);
    if (peer.address == address)
      continue;
    // A link that works is kept: the peer is who it says, wherever it is (RELIABILITY L-13).
    peer.address = address;
    abandon_dial(peer.main);
    peer.main.pauses.reset();
    dial_now(id, peer_role::member);
  }
}

tcp_transport::peer_state& tcp_transport::state_of(node_id peer) {
  const auto seed = rng::mix(self_.node.value() ^ rng::mix(self_.boot.value()) ^ peer.value());
  const backoff pauses{limits_.backoff_min, limits_.backoff_max, seed};
  return peers_.try_emplace(peer, io_, pauses).first->second;
}

void tcp_transport::forget_if_unknown(node_id peer) {
  const auto found = peers_.find(peer);
  if (found != peers_.end() && !found->second.address && !found->second.main.link)
    peers_.erase(found);
}

void tcp_transport::confirm(node_id peer, directory_id directory) {
  const auto found = peers_.find(peer);
  if (found == peers_.end())
    return;
  found->second.confirmed = directory;
  // Both before: what the first delivers may end it, and the peer be forgotten.
  for (const auto& link : {found->second.main.link, found->second.bulk.link})
    if (link && link->peer().directory == directory && link->state() != connection::phase::closed)
      link->confirm();
}

void tcp_transport::become(const membership::founding& founding) {
  if (is_shut_down_)
    return;
  self_.founding = founding;
  std::vector<connection_ptr> others; // Closing changes the table.
  for (const auto& [id, peer] : peers_)
    if (peer.main.link && peer.main.link->peer().founding.id != founding.id)
      others.push_back(peer.main.link);
  for (const auto& link : others)
    link->close({errc::unreachable,
                 "node " + std::to_string(link->peer().node.value()) + " said hello before node "
                   + std::to_string(self_.node.value()) + " knew its cluster; both say it again"});
}

connection_ptr tcp_transport::make_connection(tcp::socket socket, connection::direction who) {
  connection_owner& owner = *this;
  auto x = std::make_shared<connection>(std::move(socket), who, owner);
  greeting_.insert(x);
  return x;
}

connection::purpose tcp_transport::purpose_of(peer_role role) const {
  if (role != peer_role::bulk)
    return {role, limits_.frame_bytes_max, limits_.queue_bytes_max};
  return {role, bulk_body_bytes_max, std::max(limits_.bulk_queue_bytes_max, bulk_queue_bytes_min)};
}

void tcp_transport::on_frame(const connection_ptr& from, const frame_header& header,
                             std::span<const std::byte> body,
                             const std::shared_ptr<const void>& memory) {
  const bool is_established = from->state() == connection::phase::established;
  const bool is_bulk = from->role() == peer_role::bulk;
  switch (header.kind) {
    case frame_kind::messages:
      if (is_established && !is_bulk)
        return on_messages(from, body, memory);
      break;
    case frame_kind::bulk:
      if (is_established && is_bulk)
        return on_bulk(from, body, memory);
      break;
    case frame_kind::keep_alive:
      if (is_established)
        return;
      break;
    case frame_kind::hello:
      if (!is_established && from->who_dialled() == connection::direction::accepted)
        return on_hello(from, body);
      break;
    case frame_kind::hello_reply:
      if (is_established || from->who_dialled() == connection::direction::dialled)
        return on_hello_reply(from, body);
      break;
  }
  from->close({errc::malformed, to_string(from->remote()) + ": a frame of kind "
                                  + std::to_string(static_cast<int>(header.kind))
                                  + " came out of turn"});
}

void tcp_transport::on_messages(const connection_ptr& from, std::span<const std::byte> body,
                                const std::shared_ptr<const void>& memory) {
  auto messages = from->decoder().decode(body, memory);
  if (!messages)
    from->close({errc::malformed, to_string(from->remote()) + ": " + messages.reason().what});
  else
    listener_->on_messages(from->peer().node, *std::move(messages));
}

void tcp_transport::on_closed(const connection_ptr& which, const error& reason) {
  greeting_.erase(which);
  if (is_shut_down_)
    return;
  if (reason.code == errc::malformed)
    listener_->on_frame_error(which->peer().node);
  if (const auto where = greeting_at(which)) {
    fail_dial(where->peer, where->role, reason);
    return;
  }
  for (auto& [id, peer] : peers_)
    for (const auto role : {peer_role::member, peer_role::bulk})
      if (peer.of(role).link == which) {
        on_link_closed({id, role}, reason);
        return;
      }
  if (reason.code == errc::malformed)
    report_stranger({}, reason);
}

void tcp_transport::on_link_closed(place where, const error& reason) {
  const auto [id, role] = where;
  auto& peer = peers_.at(id);
  auto& way = peer.of(role);
  way.link.reset();
  {
    std::lock_guard guard{links_mutex_};
    links_.erase({id, role});
  }
  // A link that dies young must not be dialled again in a tight loop (RELIABILITY L-07).
  if (steady_clock::now() - way.link_since >= limits_.backoff_max)
    way.pauses.reset();
  if (role == peer_role::bulk) {
    tell_bulk_down(peer, id, reason);
    dial_later(id, role);
    return;
  }
  end_bulk(peer, id, reason);
  listener_->on_peer_down(id, reason);
  dial_later(id, role);
  forget_if_unknown(id);
}

void tcp_transport::sweep_later() {
  const auto shortest = std::min(limits_.idle_timeout, limits_.hello_timeout) / 8;
  sweep_timer_.expires_after(
    std::clamp(shortest, std::chrono::milliseconds{2}, std::chrono::milliseconds{250}));
  sweep_timer_.async_wait([this](const error_code& status) {
    if (status || is_shut_down_)
      return;
    sweep_later(); // First: a sweep that fails must not be the last.
    sweep();
  });
}

void tcp_transport::sweep() {
  const auto now = steady_clock::now();
  for (const auto& x : std::set<connection_ptr>{greeting_})
    if (now - x->started() > limits_.hello_timeout)
      x->close({errc::unreachable, to_string(x->remote()) + ": no hello within "
                                     + std::to_string(limits_.hello_timeout.count()) + " ms"});
  std::vector<connection_ptr> links;
  for (const auto& [id, peer] : peers_)
    for (const auto* way : {&peer.bulk, &peer.main})
      if (way->link)
        links.push_back(way->link);
  for (const auto& link : links) {
    if (link->role() == peer_role::bulk)
      close_if_idle(link, now);
    else if (link->silent_in(now) > limits_.idle_timeout)
      link->close({errc::unreachable, "node " + std::to_string(link->peer().node.value())
                                        + " was silent for "
                                        + std::to_string(limits_.idle_timeout.count()) + " ms"});
    else
      keep_alive(link, now);
  }
}

void tcp_transport::keep_alive(const connection_ptr& link, time_point now) {
  if (link->silent_out(now) < limits_.idle_timeout / 4)
    return;
  link->send(just(make_keep_alive()));
}

result<std::unique_ptr<transport>> make_tcp_transport(const endpoint& listen,
                                                      transport_limits limits) {
  auto x = std::make_unique<tcp_transport>(limits);
  if (auto bound = x->listen(listen); !bound)
    return std::move(bound).reason();
  return std::unique_ptr<transport>{std::move(x)};
}

} // namespace caucus::transport
