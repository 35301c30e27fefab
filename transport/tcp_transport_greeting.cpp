// Dialling, hello and its answer, and which of two connections stays.
#include "transport/tcp_transport.hpp"

namespace caucus::transport {

namespace {

/// Connections that have not said hello yet. More at once is an attack or a bug.
constexpr size_t greeting_max = 128;

std::string name(node_id x) { return "node " + std::to_string(x.value()); }

std::vector<frame> just(frame x) {
  std::vector<frame> frames;
  frames.push_back(std::move(x));
  return frames;
}

} // namespace

void tcp_transport::dial_later(node_id id) {
  const auto found = peers_.find(id);
  if (found == peers_.end() || !found->second.address)
    return;
  auto& peer = found->second;
  peer.timer.expires_after(peer.pauses.next());
  peer.timer.async_wait([this, id](const error_code& status) {
    if (!status && !is_shut_down_)
      dial_now(id);
  });
}

void tcp_transport::dial_now(node_id id) {
  const auto found = peers_.find(id);
  if (found == peers_.end() || !found->second.address)
    return;
  auto& peer = found->second;
  if (peer.link || peer.dialling || peer.greeting)
    return;
  peer.dialling = std::make_shared<dial>(io_, *peer.address);
  peer.dialling->start(limits_.hello_timeout,
                       [this, id](result<std::shared_ptr<tcp::socket>> outcome) {
                         if (!is_shut_down_)
                           on_dialled(id, std::move(outcome));
                       });
}

void tcp_transport::on_dialled(node_id id, result<std::shared_ptr<tcp::socket>> outcome) {
  auto& peer = peers_.at(id); // A dial is cancelled before its peer is forgotten.
  peer.dialling.reset();
  if (!outcome) {
    fail_dial(id, outcome.reason());
    return;
  }
  peer.greeting = make_connection(std::move(**outcome), connection::direction::dialled);
  hello x;
  x.from = self_;
  x.to = id;
  const auto link = peer.greeting;
  link->send(just(encode(x)));
  link->start();
}

void tcp_transport::abandon_dial(peer_state& peer) {
  if (auto attempt = std::exchange(peer.dialling, {}))
    attempt->cancel();
  if (auto greeting = std::exchange(peer.greeting, {}))
    greeting->close({errc::already_exists, "another connection stays"});
}

void tcp_transport::fail_dial(node_id id, const error& reason) {
  auto& peer = peers_.at(id);
  if (auto greeting = std::exchange(peer.greeting, {}))
    greeting->close(reason);
  dial_later(id);
  // Two dialled at once, and the other's connection stays: nothing is lost.
  if (!peer.link && reason.code != errc::already_exists)
    listener_->on_peer_down(id, reason);
}

void tcp_transport::on_accepted(tcp::socket socket) {
  if (is_shut_down_)
    return; // The socket closes itself.
  make_room();
  make_connection(std::move(socket), connection::direction::accepted)->start();
}

/// A hello takes milliseconds: who waits longest is the one who says nothing.
void tcp_transport::make_room() {
  if (greeting_.size() < greeting_max)
    return;
  connection_ptr oldest;
  for (const auto& x : greeting_)
    if (x->who_dialled() == connection::direction::accepted
        && (!oldest || x->started() < oldest->started()))
      oldest = x;
  if (oldest)
    oldest->close({errc::unreachable, "too many connections say no hello"});
}

void tcp_transport::on_hello(const connection_ptr& from, std::span<const std::byte> body) {
  const auto x = decode_hello(body);
  if (!x) {
    from->close({errc::malformed, to_string(from->remote()) + ": " + x.reason().what});
    return;
  }
  auto verdict = check_hello(*x, self_);
  if (verdict)
    verdict = judge_second(*x);
  if (verdict)
    verdict = listener_->on_hello(x->from);
  if (!verdict) {
    refuse(from, verdict.reason());
    if (verdict.reason().code != errc::already_exists)
      report_stranger(x->from.node, {verdict.reason().code, "refused " + to_string(from->remote())
                                                              + ": " + verdict.reason().what});
    return;
  }
  hello_reply reply;
  reply.from = self_;
  if (!from->send(just(encode(reply)))) {
    from->close({errc::unreachable, name(x->from.node) + " hung up during its hello"});
    return;
  }
  establish(from, x->from);
}

result<void> tcp_transport::judge_second(const hello& x) {
  const auto found = peers_.find(x.from.node);
  if (found == peers_.end())
    return {};
  const auto& peer = found->second;
  const error duplicate{errc::already_exists, name(self_.node) + " is connected to "
                                                + name(x.from.node) + " already or about to be"};
  // Of two dials at once the lower node's stays; only that node sees both and decides.
  const bool ours_stays = self_.node < x.from.node;
  if (!peer.link)
    return peer.greeting && ours_stays ? result<void>{duplicate} : result<void>{};
  if (x.from.boot < peer.link->peer().boot)
    return error{errc::identity_mismatch,
                 name(x.from.node) + " says hello with boot " + std::to_string(x.from.boot.value())
                   + ", but its boot " + std::to_string(peer.link->peer().boot.value())
                   + " is connected: was its " + "directory restored from a copy?"};
  // Who dials again with the same boot has lost the connection that we still hold, unless it can't
  // know of ours yet. If it is lost all the same, silence will tell.
  const bool is_race = ours_stays && x.from.boot == peer.link->peer().boot
                       && peer.link->who_dialled() == connection::direction::dialled;
  return is_race ? result<void>{duplicate} : result<void>{};
}

void tcp_transport::refuse(const connection_ptr& whom, const error& reason) {
  hello_reply reply;
  reply.refused = reason.code;
  reply.reason = reason.what;
  reply.from = self_;
  whom->refuse(encode(reply));
}

/// Says that somebody was refused. Never of a peer whose link works: anybody can claim its id.
void tcp_transport::report_stranger(node_id claimed, const error& reason) {
  const auto now = steady_clock::now();
  const auto found = peers_.find(claimed);
  if (found != peers_.end() && found->second.link)
    return;
  auto& last = found != peers_.end() ? found->second.last_report : last_stranger_report_;
  if (last != time_point{} && now - last < limits_.backoff_max / 2)
    return;
  last = now;
  listener_->on_peer_down(claimed, reason);
}

void tcp_transport::on_hello_reply(const connection_ptr& from, std::span<const std::byte> body) {
  const auto x = decode_hello_reply(body);
  if (!x) {
    from->close({errc::malformed, to_string(from->remote()) + ": " + x.reason().what});
    return;
  }
  if (x->refused != errc::none) {
    from->close({x->refused, to_string(from->remote()) + " refused: " + x->reason});
    return;
  }
  if (from->state() == connection::phase::established) {
    from->close({errc::malformed, to_string(from->remote()) + ": a hello was answered twice"});
    return;
  }
  node_id dialled;
  for (const auto& [id, peer] : peers_)
    if (peer.greeting == from)
      dialled = id;
  auto verdict = check_hello_reply(*x, self_, dialled);
  if (verdict)
    verdict = listener_->on_hello(x->from);
  if (verdict) {
    establish(from, x->from);
    return;
  }
  refuse(from, verdict.reason());
  peers_.at(dialled).greeting.reset(); // It lingers until the peer has read why.
  fail_dial(dialled,
            {verdict.reason().code, to_string(from->remote()) + ": " + verdict.reason().what});
}

void tcp_transport::establish(const connection_ptr& link, const node_identity& identity) {
  auto& peer = state_of(identity.node);
  greeting_.erase(link);
  if (peer.greeting == link)
    peer.greeting.reset();
  if (const auto older = peer.link)
    older->close({errc::unreachable, "a newer connection of " + name(identity.node)
                                       + " took the place of the old one"});
  // Closing may have forgotten a peer that is not in the table.
  auto& state = state_of(identity.node);
  abandon_dial(state);
  state.timer.cancel();
  state.link = link;
  state.link_since = steady_clock::now();
  link->establish(identity, limits_.frame_bytes_max);
  const bool is_dialled = link->who_dialled() == connection::direction::dialled;
  if (is_dialled) // Before any other frame: it says that we agree.
    link->send(just(make_keep_alive()));
  if (is_dialled)
    on_agreed(link);
  if (state.confirmed == identity.directory)
    link->confirm();
}

void tcp_transport::on_agreed(const connection_ptr& with) {
  if (is_shut_down_)
    return;
  {
    std::lock_guard guard{links_mutex_};
    links_[with->peer().node] = with;
  }
  listener_->on_peer_up(with->peer());
}

} // namespace caucus::transport
