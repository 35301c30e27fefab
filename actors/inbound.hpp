#pragma once

#include "actors/node_context.hpp"

#include <map>
#include <mutex>
#include <unordered_map>

namespace caucus {

/// Where the transport's thread meets the actors: decides about hellos, puts messages straight into
/// the mailboxes of the groups they are for, within a byte budget.
class inbound final : public transport::transport_listener {
public:
  explicit inbound(node_context& node) : node_{node} {}

  /// Before the transport knows the peer. Node 0's is for all who have none. Thread-safe.
  void add_link(node_id peer, peer_link_actor link) {
    std::lock_guard guard{mutex_};
    links_.emplace(peer, std::move(link));
  }
  /// Once it is let in no more; what is still told of it, node 0's link hears.
  void remove_link(node_id peer) {
    std::lock_guard guard{mutex_};
    links_.erase(peer);
  }
  /// After the transport has stopped.
  void release() {
    std::lock_guard guard{mutex_};
    links_.clear();
  }

  result<void> on_hello(const transport::node_identity& peer) override;
  void on_peer_up(const transport::node_identity& peer) override;
  void on_peer_down(node_id peer, const error& reason) override;
  void on_frame_error(node_id peer) override;
  void on_messages(node_id from, std::vector<transport::routed_message> messages) override;
  void on_bulk(node_id from, transport::bulk_message message) override;
  void on_bulk_ready(node_id peer) override;
  void on_bulk_down(node_id peer, const error& reason) override;

  /// Groups whose deliveries are counted: not many more than are open. I/O thread.
  [[nodiscard]] size_t counted_groups() const noexcept { return waiting_.size(); }

private:
  using waiting_ptr = std::shared_ptr<std::atomic<uint32_t>>;
  static constexpr size_t waiting_max_min = 64;

  [[nodiscard]] peer_link_actor link_of(node_id peer) const;
  /// This node is of that peer's cluster from now on.
  void adopt(const transport::node_identity& from);
  void deliver(node_id from, group_id group, std::vector<raft::message> messages);
  /// Of bytes taken from the budget: given back when it goes.
  [[nodiscard]] std::shared_ptr<void> credit_of(uint64_t bytes) const;
  [[nodiscard]] std::shared_ptr<void> credit_of(uint64_t bytes, waiting_ptr waiting) const;
  const waiting_ptr& waiting_of(group_id group);
  /// So much waits that the workers are late.
  [[nodiscard]] bool is_crowded() const noexcept;
  void drop(size_t messages) noexcept;

  node_context& node_;
  mutable std::mutex mutex_; ///< Peers come while the transport runs.
  std::map<node_id, peer_link_actor> links_;
  /// Deliveries that a group hasn't looked at, of groups that are or were open. I/O thread.
  std::unordered_map<uint64_t, waiting_ptr> waiting_;
  size_t waiting_max_ = waiting_max_min; ///< Then those that are closed are forgotten.
};

} // namespace caucus
