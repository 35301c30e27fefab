#include "actors/inbound.hpp"

#include "actors/said_again.hpp"

#include <caf/send.hpp>

namespace caucus {

namespace {

/// Around each delivery: the mailbox's element, CAF's message, the credit.
constexpr uint64_t delivery_bytes = 384;

/// Beyond this part of the budget the workers are late: some 30,000 small deliveries.
constexpr uint64_t crowded_part = 16;
/// Then a group that has so many before it gets no more of what is said again anyway.
constexpr uint32_t unlooked_max = 2;

/// What it takes of memory, about: of a heartbeat nearly all is what is around it.
uint64_t cost(const raft::message& body) {
  uint64_t bytes = sizeof(raft::message);
  if (auto* append = std::get_if<raft::append_entries>(&body))
    for (auto& entry : append->entries)
      bytes += entry->cost();
  else if (auto* proposal = std::get_if<raft::forward_proposal>(&body))
    bytes += proposal->body.payload.size();
  return bytes;
}

} // namespace

result<void> inbound::on_hello(const transport::node_identity& peer) {
  auto verdict = node_.peers->judge(peer);
  if (!verdict)
    caf::anon_send(link_of(peer.node), link_refused{peer.node, verdict.reason()});
  return verdict;
}

peer_link_actor inbound::link_of(node_id peer) const {
  std::lock_guard guard{mutex_};
  auto found = links_.find(peer);
  return found != links_.end() ? found->second : links_.at(node_id{});
}

void inbound::on_peer_up(const transport::node_identity& peer) {
  caf::anon_send(link_of(peer.node), link_up{peer});
  if (node_.peers->knows(peer)) {
    node_.links->confirm_peer(peer.node, peer.directory);
    return;
  }
  auto unknown = node_.peers->claim(peer);
  if (!unknown)
    return; // Another came first since this one's hello: nothing of it is delivered.
  // Not one vote of it counts before its directory is durably known: a wiped one could vote twice.
  // And a node that joins must know whose log it is about to take, or it could take two clusters'.
  caf::anon_send(node_.wal,
                 wal_pin_peer{{peer.node, peer.directory}, *std::move(unknown), [this, peer] {
                                if (node_.peers->pin(peer))
                                  adopt(peer);
                                node_.links->confirm_peer(peer.node, peer.directory);
                              }});
}

void inbound::adopt(const transport::node_identity& from) {
  node_.log().info("event=cluster_joined founders=" + from.founding.members
                   + " told_by=" + std::to_string(from.node.value()));
  node_.links->adopt(from.founding); // Before the peer's first message is delivered.
}

void inbound::on_peer_down(node_id peer, const error& reason) {
  caf::anon_send(link_of(peer), link_down{peer, reason});
}

void inbound::on_frame_error(node_id peer) {
  node_.frame_errors.count(node_.peers->is_member(peer) ? peer : node_id{});
}

void inbound::on_messages(node_id from, std::vector<transport::routed_message> messages) {
  std::vector<raft::message> run;
  for (size_t i = 0; i < messages.size(); ++i) {
    run.push_back(std::move(messages[i].body));
    if (i + 1 == messages.size() || messages[i + 1].group != messages[i].group)
      deliver(from, messages[i].group, std::exchange(run, {}));
  }
}

void inbound::deliver(node_id from, group_id group, std::vector<raft::message> messages) {
  auto replica = node_.routes.find(group);
  if (!replica) {
    drop(messages.size());
    return;
  }
  const auto& waiting = waiting_of(group);
  // Peers that are faster than we would otherwise fill the mailboxes with heartbeats and votes,
  // which come too late to be of use and make the next ones later still.
  if (is_crowded() && waiting->load(std::memory_order_relaxed) >= unlooked_max)
    drop(std::erase_if(messages, is_said_again));
  if (messages.empty())
    return;
  uint64_t bytes = delivery_bytes;
  for (auto& body : messages)
    bytes += cost(body);
  if (!node_.inbound->take(bytes)) {
    // Raft repairs what is lost; memory that is gone takes the process with it.
    drop(messages.size());
    return;
  }
  caf::anon_send(replica, group_received{from, std::move(messages), credit_of(bytes, waiting)});
}

const inbound::waiting_ptr& inbound::waiting_of(group_id group) {
  const auto found = waiting_.find(group.value());
  if (found != waiting_.end())
    return found->second;
  if (waiting_.size() >= waiting_max_) {
    std::erase_if(waiting_,
                  [this](const auto& x) { return !node_.routes.find(group_id{x.first}); });
    waiting_max_ = std::max(waiting_max_min, 2 * waiting_.size());
  }
  return waiting_.emplace(group.value(), std::make_shared<std::atomic<uint32_t>>(0)).first->second;
}

bool inbound::is_crowded() const noexcept {
  return node_.inbound->used() > node_.inbound->max() / crowded_part;
}

void inbound::drop(size_t messages) noexcept {
  node_.inbound_dropped.fetch_add(messages, std::memory_order_relaxed);
}

std::shared_ptr<void> inbound::credit_of(uint64_t bytes, waiting_ptr waiting) const {
  waiting->fetch_add(1, std::memory_order_relaxed);
  return {nullptr, [budget = node_.inbound, bytes, waiting = std::move(waiting)](void*) {
            budget->give_back(bytes);
            waiting->fetch_sub(1, std::memory_order_relaxed);
          }};
}

std::shared_ptr<void> inbound::credit_of(uint64_t bytes) const {
  return {nullptr, [budget = node_.inbound, bytes](void*) { budget->give_back(bytes); }};
}

void inbound::on_bulk(node_id from, transport::bulk_message message) {
  uint64_t bytes = 128;
  if (const auto* chunk = std::get_if<transport::snapshot_chunk>(&message.body))
    bytes += chunk->bytes.size();
  if (!node_.inbound->take(bytes)) {
    // The next chunk doesn't fit to the one before, and the transfer begins again from there.
    drop(1);
    return;
  }
  caf::anon_send(node_.snapshots, snapshot_bulk{from, std::move(message), credit_of(bytes)});
}

void inbound::on_bulk_ready(node_id peer) {
  caf::anon_send(node_.snapshots, snapshot_peer_ready{peer});
}

void inbound::on_bulk_down(node_id peer, const error& reason) {
  caf::anon_send(node_.snapshots, snapshot_peer_down{peer, reason});
}

} // namespace caucus
