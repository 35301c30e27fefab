// The second connection of a pair, for snapshots.
#include "base/assert.hpp"
#include "transport/bulk_codec.hpp"
#include "transport/memory_network.hpp"
#include "transport/memory_transport.hpp"
#include "transport/wire_format.hpp"

namespace caucus::transport {

uint64_t memory_network::bulk_queue_bytes_of(const memory_transport& x) {
  return std::max(x.limits_.bulk_queue_bytes_max, bulk_queue_bytes_min);
}

void memory_network::cut_bulk(node_id a, node_id b) {
  disconnect_bulk(a, b, {errc::unreachable, "the bulk connection was cut"});
}

bool memory_network::send_bulk(node_id from, node_id to, const bulk_message& message) {
  const auto pair = ordered(from, to);
  const auto found = bulk_links_.find(pair);
  if (found == bulk_links_.end()) {
    push({.what = event::kind::bulk_dial, .from = from, .to = to});
    return false;
  }
  auto& link = found->second;
  const auto bytes = encoded_bytes_max(message);
  if (link.waiting_bytes[from] + bytes > bulk_queue_bytes_of(*find(from))) {
    link.refused.insert(from);
    return false;
  }
  event x{
    .what = event::kind::bulk, .from = from, .to = to, .link = link.number, .bulk_bytes = bytes};
  if (is_encoding_) {
    const auto encoded = encode(message);
    x.bytes.assign(encoded.bytes().begin(), encoded.bytes().end());
  } else {
    x.bulk_as_is = message;
  }
  queue_bulk(std::move(x), link);
  return true;
}

void memory_network::queue_bulk(event x, bulk_link& link) {
  if (is_lost(x))
    return;
  corrupt(x.bytes);
  const int copies = rng_.chance(faults_.duplicate_percent) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    link.waiting_bytes[x.from] += x.bulk_bytes;
    push(x);
  }
}

void memory_network::connect_bulk(node_id from, node_id to) {
  auto* dialler = find(from);
  if (dialler == nullptr)
    return;
  const auto pair = ordered(from, to);
  if (!links_.contains(pair)) {
    dialler->listener_->on_bulk_down(to, {errc::unreachable, "the peer is not connected"});
    return;
  }
  if (!bulk_links_.contains(pair)) {
    if (!dialler->peers_.contains(to)) {
      dialler->listener_->on_bulk_down(
        to, {errc::unreachable, "the peer is no peer that could be dialled"});
      return;
    }
    bulk_links_[pair].number = ++last_link_;
  }
  dialler->listener_->on_bulk_ready(to);
}

void memory_network::disconnect_bulk(node_id a, node_id b, const error& reason) {
  if (bulk_links_.erase(ordered(a, b)) == 0)
    return;
  for (const auto& [from, to] : {std::pair{a, b}, std::pair{b, a}})
    if (find(to) != nullptr)
      push({.what = event::kind::bulk_down, .from = from, .to = to, .reason = reason});
}

void memory_network::deliver_bulk(event x) {
  const auto link = bulk_links_.find(ordered(x.from, x.to));
  if (link == bulk_links_.end() || link->second.number != x.link)
    return;
  auto* sender = find(x.from);
  auto* receiver = find(x.to);
  CAUCUS_ASSERT(sender != nullptr && receiver != nullptr); // Links end with their nodes.
  if (!receiver->is_confirmed(sender->self_)) {
    held_[{x.from, x.to}].push_back(std::move(x));
    return;
  }
  make_room(x.from, x.to, link->second, x.bulk_bytes);
  if (x.bulk_as_is) {
    receiver->listener_->on_bulk(x.from, *std::move(x.bulk_as_is));
    return;
  }
  const std::span<const std::byte> bytes{x.bytes};
  const auto header = parse_header(bytes.first<frame_header_bytes>(), bulk_body_bytes_max);
  const auto body = bytes.subspan(frame_header_bytes);
  if (!header || !is_intact(*header, body)) {
    receiver->listener_->on_frame_error(x.from);
    disconnect_bulk(x.from, x.to, {errc::malformed, "the checksum of a frame is wrong"});
    return;
  }
  auto message = decode_bulk(body);
  CAUCUS_ASSERT(message.ok()); // We encoded it ourselves, and the checksum is right.
  receiver->listener_->on_bulk(x.from, *std::move(message));
}

void memory_network::make_room(node_id from, node_id to, bulk_link& link, uint64_t bytes) {
  auto& waiting = link.waiting_bytes[from];
  waiting -= bytes;
  if (waiting <= bulk_queue_bytes_of(*find(from)) / 2 && link.refused.erase(from) > 0)
    push({.what = event::kind::bulk_ready, .from = to, .to = from});
}

} // namespace caucus::transport
