// Hello and its answer, and which of two connections stays.
#include "base/assert.hpp"
#include "transport/tcp_transport.hpp"

namespace caucus::transport {

namespace {

/// Connections that have not said hello yet. More at once is an attack or a bug.
constexpr size_t greeting_max = 128;

std::string name(node_id x) { return "node " + std::to_string(x.value()); }

} // namespace

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
  const bool is_bulk = x->role == peer_role::bulk;
  if (verdict)
    verdict = is_bulk ? judge_second_bulk(*x) : judge_second(*x);
  if (verdict && !is_bulk)
    verdict = listener_->on_hello(x->from);
  if (!verdict) {
    refuse(from, verdict.reason());
    // Who is refused for bulk is told so; whether it is a peer is its main connection's affair.
    if (verdict.reason().code != errc::already_exists && !is_bulk)
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
  establish(from, x->from, x->role);
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
  if (!peer.main.link)
    return peer.main.greeting && ours_stays ? result<void>{duplicate} : result<void>{};
  if (x.from.boot < peer.main.link->peer().boot)
    return error{errc::identity_mismatch,
                 name(x.from.node) + " says hello with boot " + std::to_string(x.from.boot.value())
                   + ", but its boot " + std::to_string(peer.main.link->peer().boot.value())
                   + " is connected: was its " + "directory restored from a copy?"};
  // Who dials again with the same boot has lost the connection that we still hold, unless it can't
  // know of ours yet. If it is lost all the same, silence will tell.
  const bool is_race = ours_stays && x.from.boot == peer.main.link->peer().boot
                       && peer.main.link->who_dialled() == connection::direction::dialled;
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
  if (found != peers_.end() && found->second.main.link)
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
  const auto where = greeting_at(from);
  CAUCUS_ASSERT(where.has_value());
  const auto [dialled, role] = *where;
  auto verdict = check_hello_reply(*x, self_, dialled);
  if (verdict)
    verdict = role == peer_role::bulk ? judge_bulk(x->from) : listener_->on_hello(x->from);
  if (verdict) {
    establish(from, x->from, role);
    return;
  }
  refuse(from, verdict.reason());
  peers_.at(dialled).of(role).greeting.reset(); // It lingers until the peer has read why.
  fail_dial(dialled, role,
            {verdict.reason().code, to_string(from->remote()) + ": " + verdict.reason().what});
}

std::optional<tcp_transport::place> tcp_transport::greeting_at(const connection_ptr& which) {
  for (auto& [id, peer] : peers_)
    for (const auto role : {peer_role::member, peer_role::bulk})
      if (peer.of(role).greeting == which)
        return place{id, role};
  return std::nullopt;
}

void tcp_transport::establish(const connection_ptr& link, const node_identity& identity,
                              peer_role role) {
  auto& old_way = state_of(identity.node).of(role);
  greeting_.erase(link);
  if (old_way.greeting == link)
    old_way.greeting.reset();
  if (const auto older = old_way.link)
    older->close({errc::unreachable, "a newer connection of " + name(identity.node)
                                       + " took the place of the old one"});
  // Closing may have forgotten a peer that is not in the table.
  auto& state = state_of(identity.node);
  auto& way = state.of(role);
  abandon_dial(way);
  way.timer.cancel();
  way.is_pausing = false;
  way.link = link;
  way.link_since = steady_clock::now();
  link->establish(identity, purpose_of(role));
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
  const auto id = with->peer().node;
  {
    std::lock_guard guard{links_mutex_};
    links_[{id, with->role()}] = with;
  }
  if (with->role() != peer_role::bulk)
    listener_->on_peer_up(with->peer());
  else if (auto& peer = peers_.at(id); peer.is_bulk_awaited)
    tell_bulk_ready(peer, id);
}

} // namespace caucus::transport
