#pragma once

#include "base/rng.hpp"
#include "transport/frame.hpp"
#include "transport/message_decoder.hpp"
#include "transport/transport.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>

namespace caucus::transport {

class memory_transport;

/// A network in one thread for simulations: nothing happens but by `deliver_one`, and the same seed
/// and calls give the same deliveries. Messages pass through the real encoder and decoder, so that
/// no memory is shared between nodes. Faults strike bulk messages like any others. A bulk
/// connection that nobody uses stays: there is no time. Endpoints keep the network alive. Not
/// thread-safe.
class memory_network : public std::enable_shared_from_this<memory_network> {
public:
  struct faults {
    uint32_t drop_percent = 0;
    uint32_t duplicate_percent = 0;
    uint32_t reorder_percent = 0; ///< Another message than the oldest is delivered.
    uint32_t corrupt_percent = 0; ///< A bit flips: the checksum fails and the link ends.
  };

  static std::shared_ptr<memory_network> make(uint64_t seed);

  /// An endpoint; which node it is, it learns by `start`. A node that starts again needs a new one.
  std::unique_ptr<transport> make_endpoint(transport_limits limits = {});

  void set_faults(const faults& x) { faults_ = x; }
  /// Off: messages are handed over as they are, payloads shared. For speed only.
  void set_encoding(bool is_on) { is_encoding_ = is_on; }

  /// The pair's link ends, both sides are told, and none is made until `heal`.
  void cut(node_id a, node_id b);
  void heal(node_id a, node_id b);
  void heal_all();
  /// The pair's bulk connection alone ends, and the next `send_bulk` makes another.
  void cut_bulk(node_id a, node_id b);
  /// From now on what `from` sends to `to` vanishes, and nobody is told.
  void silence(node_id from, node_id to) { silenced_.insert({from, to}); }
  void unsilence(node_id from, node_id to) { silenced_.erase({from, to}); }
  /// The node is gone in the middle of whatever it did: its endpoint is dead, peers see the links
  /// end.
  void crash(node_id node);
  /// Tries again where a hello was refused; TCP does it by its backoff.
  void redial();

  /// The next thing that happens; false if nothing is left.
  bool deliver_one();
  /// Until nothing is left, or `limit` deliveries.
  size_t deliver_all(size_t limit = 1'000'000);
  [[nodiscard]] size_t pending() const noexcept { return events_.size(); }
  /// Called whenever something became deliverable; must not deliver by itself.
  std::function<void()> on_pending;

private:
  friend class memory_transport;
  using pair_of_nodes = std::pair<node_id, node_id>; ///< Link: lower id first. Else from, to.

  struct event {
    enum class kind { dial, message, down, bulk_dial, bulk, bulk_ready, bulk_down };
    kind what = kind::dial;
    node_id from;
    node_id to;
    uint64_t link = 0; ///< Which connection of the pair: of an older one nothing is delivered.
    std::vector<std::byte> bytes;
    std::vector<routed_message> messages;   ///< Without encoding.
    std::optional<bulk_message> bulk_as_is; ///< Likewise.
    uint64_t bulk_bytes = 0;
    error reason;
  };

  /// A pair's second connection.
  struct bulk_link {
    uint64_t number = 0;                       ///< As `event::link`.
    std::map<node_id, uint64_t> waiting_bytes; ///< By sender.
    std::set<node_id> refused;                 ///< Senders that wait for room.
  };

  explicit memory_network(uint64_t seed) : rng_{seed} {}

  static pair_of_nodes ordered(node_id a, node_id b) {
    return a < b ? std::pair{a, b} : std::pair{b, a};
  }
  memory_transport* find(node_id node) const;
  void push(event x);
  event take_next();
  void attach(memory_transport& endpoint, node_id node);
  void detach(node_id node, const error& reason);
  void dial_all(node_id node);
  void connect(node_id a, node_id b);
  void disconnect(node_id a, node_id b, const error& reason);
  /// Those to whom this node's cluster was another when they met, or none.
  void end_links_to_others(node_id node);
  bool send(node_id from, node_id to, std::vector<routed_message> messages);
  void queue_message(event x);
  [[nodiscard]] bool is_lost(const event& x);
  void corrupt(std::vector<std::byte>& bytes);
  void deliver(event x);
  void deliver_message(event x);
  void release_held(node_id from, node_id to);

  // memory_network_bulk.cpp
  bool send_bulk(node_id from, node_id to, const bulk_message& message);
  static uint64_t bulk_queue_bytes_of(const memory_transport& x);
  void queue_bulk(event x, bulk_link& link);
  void connect_bulk(node_id from, node_id to);
  void disconnect_bulk(node_id a, node_id b, const error& reason);
  void deliver_bulk(event x);
  void make_room(node_id from, node_id to, bulk_link& link, uint64_t bytes);

  rng rng_;
  faults faults_;
  bool is_encoding_ = true;
  uint64_t last_link_ = 0;
  std::map<node_id, memory_transport*> endpoints_;
  std::map<pair_of_nodes, uint64_t> links_;
  /// Who heard a hello, from whom: the founding that it told.
  std::map<std::pair<node_id, node_id>, founding_id> told_;
  std::map<pair_of_nodes, bulk_link> bulk_links_;
  std::set<pair_of_nodes> cut_;
  std::set<pair_of_nodes> silenced_;
  std::map<pair_of_nodes, uint64_t> waiting_bytes_; ///< By from, to.
  std::map<pair_of_nodes, std::deque<event>> held_; ///< Until the receiver confirms the sender.
  std::deque<event> events_;
  message_decoder decoder_;
};

} // namespace caucus::transport
