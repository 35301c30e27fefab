#include "transport/memory_network.hpp"

#include "base/assert.hpp"
#include "transport/memory_transport.hpp"
#include "transport/message_encoder.hpp"
#include "transport/wire_format.hpp"

namespace caucus::transport {

std::shared_ptr<memory_network> memory_network::make(uint64_t seed) {
  return std::shared_ptr<memory_network>{new memory_network{seed}};
}

std::unique_ptr<transport> memory_network::make_endpoint(transport_limits limits) {
  return std::make_unique<memory_transport>(shared_from_this(), limits);
}

void memory_network::cut(node_id a, node_id b) {
  cut_.insert(ordered(a, b));
  disconnect(a, b, {errc::unreachable, "the network was cut"});
}

void memory_network::heal(node_id a, node_id b) {
  cut_.erase(ordered(a, b));
  redial();
}

void memory_network::heal_all() {
  cut_.clear();
  silenced_.clear();
  redial();
}

void memory_network::crash(node_id node) {
  detach(node, {errc::unreachable, "connection reset by peer"});
}

void memory_network::redial() {
  for (const auto& [id, endpoint] : endpoints_)
    dial_all(id);
}

bool memory_network::deliver_one() {
  if (events_.empty())
    return false;
  deliver(take_next());
  return true;
}

size_t memory_network::deliver_all(size_t limit) {
  size_t count = 0;
  while (count < limit && deliver_one())
    ++count;
  return count;
}

memory_transport* memory_network::find(node_id node) const {
  const auto found = endpoints_.find(node);
  return found == endpoints_.end() ? nullptr : found->second;
}

void memory_network::push(event x) {
  events_.push_back(std::move(x));
  if (on_pending)
    on_pending();
}

memory_network::event memory_network::take_next() {
  size_t at = 0;
  if (events_.size() > 1 && rng_.chance(faults_.reorder_percent)) {
    at = rng_.below(events_.size());
    // Only messages overtake: what became of a connection is told in its order.
    if (events_[at].what != event::kind::message && events_[at].what != event::kind::bulk)
      at = 0;
  }
  const auto which = events_.begin() + static_cast<std::ptrdiff_t>(at);
  auto x = std::move(*which);
  events_.erase(which);
  return x;
}

void memory_network::attach(memory_transport& endpoint, node_id node) {
  endpoints_[node] = &endpoint;
  redial();
}

void memory_network::detach(node_id node, const error& reason) {
  const auto found = endpoints_.find(node);
  if (found == endpoints_.end())
    return;
  found->second->listener_ = nullptr;
  endpoints_.erase(found);
  std::vector<pair_of_nodes> ended;
  for (const auto& [pair, link] : links_)
    if (pair.first == node || pair.second == node)
      ended.push_back(pair);
  for (const auto& [a, b] : ended)
    disconnect(a, b, reason);
}

void memory_network::dial_all(node_id node) {
  auto* self = find(node);
  if (self == nullptr)
    return;
  for (auto peer : self->peers_)
    if (find(peer) != nullptr && !links_.contains(ordered(node, peer)))
      push({.what = event::kind::dial, .from = node, .to = peer});
}

void memory_network::connect(node_id a, node_id b) {
  const auto pair = ordered(a, b);
  auto* dialler = find(a);
  auto* other = find(b);
  if (dialler == nullptr || other == nullptr || links_.contains(pair)
      || !dialler->peers_.contains(b))
    return;
  if (cut_.contains(pair)) {
    dialler->listener_->on_peer_down(b, {errc::unreachable, "the network is cut"});
    return;
  }
  auto verdict = result<void>{};
  if (dialler->self_.cluster != other->self_.cluster)
    verdict = error{errc::identity_mismatch, "the clusters differ"};
  if (verdict)
    verdict = other->listener_->on_hello(dialler->self_);
  if (verdict)
    verdict = dialler->listener_->on_hello(other->self_);
  if (!verdict) {
    dialler->listener_->on_peer_down(b, verdict.reason());
    other->listener_->on_peer_down(a, verdict.reason());
    return;
  }
  links_[pair] = ++last_link_;
  told_[{a, b}] = other->self_.founding.id;
  told_[{b, a}] = dialler->self_.founding.id;
  dialler->listener_->on_peer_up(other->self_);
  other->listener_->on_peer_up(dialler->self_);
}

void memory_network::disconnect(node_id a, node_id b, const error& reason) {
  if (links_.erase(ordered(a, b)) == 0)
    return;
  disconnect_bulk(a, b, reason);
  for (auto direction : {std::pair{a, b}, std::pair{b, a}}) {
    held_.erase(direction);
    waiting_bytes_.erase(direction);
    if (find(direction.second) != nullptr)
      push({.what = event::kind::down,
            .from = direction.first,
            .to = direction.second,
            .reason = reason});
  }
}

void memory_network::end_links_to_others(node_id node) {
  std::vector<pair_of_nodes> ended;
  for (const auto& [pair, link] : links_) {
    const auto peer = pair.first == node ? pair.second : pair.first;
    const bool is_ours = pair.first == node || pair.second == node;
    if (is_ours && told_[{node, peer}] != find(node)->self_.founding.id)
      ended.push_back(pair);
  }
  for (const auto& [a, b] : ended)
    disconnect(a, b, {errc::unreachable, "a node knows its cluster now; it is asked again"});
}

bool memory_network::send(node_id from, node_id to, std::vector<routed_message> messages) {
  const auto link = links_.find(ordered(from, to));
  if (link == links_.end())
    return false;
  event whole{.what = event::kind::message, .from = from, .to = to, .link = link->second};
  if (!is_encoding_) {
    whole.messages = std::move(messages);
    queue_message(std::move(whole));
    return true;
  }
  const auto& limits = find(from)->limits_;
  const auto frames = encode_messages(messages, limits.frame_bytes_max);
  uint64_t bytes = waiting_bytes_[{from, to}];
  for (const auto& x : frames)
    bytes += x.size;
  if (frames.empty() || bytes > limits.queue_bytes_max)
    return false;
  for (const auto& x : frames) {
    auto part = whole;
    part.bytes.assign(x.bytes().begin(), x.bytes().end());
    queue_message(std::move(part));
  }
  return true;
}

bool memory_network::is_lost(const event& x) {
  return silenced_.contains({x.from, x.to}) || rng_.chance(faults_.drop_percent);
}

void memory_network::corrupt(std::vector<std::byte>& bytes) {
  if (is_encoding_ && rng_.chance(faults_.corrupt_percent))
    bytes[rng_.below(bytes.size())] ^= std::byte{1} << rng_.below(8);
}

void memory_network::queue_message(event x) {
  if (is_lost(x))
    return;
  corrupt(x.bytes);
  auto& waiting = waiting_bytes_[{x.from, x.to}];
  waiting += x.bytes.size();
  if (rng_.chance(faults_.duplicate_percent)) {
    waiting += x.bytes.size();
    push(x);
  }
  push(std::move(x));
}

void memory_network::deliver(event x) {
  auto* receiver = find(x.to);
  switch (x.what) {
    case event::kind::dial: return connect(x.from, x.to);
    case event::kind::message: return deliver_message(std::move(x));
    case event::kind::down:
      if (receiver != nullptr)
        receiver->listener_->on_peer_down(x.from, x.reason);
      return dial_all(x.to);
    case event::kind::bulk_dial: return connect_bulk(x.from, x.to);
    case event::kind::bulk: return deliver_bulk(std::move(x));
    case event::kind::bulk_ready:
      if (receiver != nullptr)
        receiver->listener_->on_bulk_ready(x.from);
      return;
    case event::kind::bulk_down:
      if (receiver != nullptr)
        receiver->listener_->on_bulk_down(x.from, x.reason);
      return;
  }
}

void memory_network::deliver_message(event x) {
  auto* receiver = find(x.to);
  if (receiver == nullptr)
    return;
  const auto link = links_.find(ordered(x.from, x.to));
  if (link == links_.end() || link->second != x.link)
    return;
  auto* sender = find(x.from);
  CAUCUS_ASSERT(sender != nullptr); // Its links end with it.
  if (!receiver->is_confirmed(sender->self_)) {
    held_[{x.from, x.to}].push_back(std::move(x));
    return;
  }
  waiting_bytes_[{x.from, x.to}] -= x.bytes.size();
  if (!x.messages.empty()) {
    receiver->listener_->on_messages(x.from, std::move(x.messages));
    return;
  }
  const std::span<const std::byte> bytes{x.bytes};
  const auto header =
    parse_header(bytes.first<frame_header_bytes>(), receiver->limits_.frame_bytes_max);
  const auto body = bytes.subspan(frame_header_bytes);
  if (!header || !is_intact(*header, body)) {
    receiver->listener_->on_frame_error(x.from);
    return disconnect(x.from, x.to, {errc::malformed, "the checksum of a frame is wrong"});
  }
  auto messages = decoder_.decode(body);
  CAUCUS_ASSERT(messages.ok()); // We encoded it ourselves, and the checksum is right.
  receiver->listener_->on_messages(x.from, *std::move(messages));
}

void memory_network::release_held(node_id from, node_id to) {
  const auto found = held_.find({from, to});
  if (found == held_.end())
    return;
  auto held = std::move(found->second);
  held_.erase(found);
  // In front of what came later.
  while (!held.empty()) {
    events_.push_front(std::move(held.back()));
    held.pop_back();
  }
  if (on_pending)
    on_pending();
}

} // namespace caucus::transport
