#pragma once

#include "actors/byte_rate.hpp"
#include "actors/incoming_snapshot.hpp"
#include "actors/node_context.hpp"
#include "actors/on_worker.hpp"
#include "actors/outgoing_snapshot.hpp"
#include "actors/snapshot_readings.hpp"
#include "actors/snapshot_store.hpp"
#include "base/rng.hpp"

#include <deque>
#include <map>

namespace caucus {

/// Makes, sends and receives the snapshots of all groups of the node: what takes a disk's or a
/// network's time. Runs on a thread of its own because files block. What becomes of a snapshot its
/// group decides.
class snapshotter final : public on_worker<snapshotter_actor::base> {
public:
  snapshotter(caf::actor_config& cfg, caf::execution_unit* home,
              std::shared_ptr<const snapshot_store> store, uint64_t boot, node_context_ptr node);

  /// Its work can wait where CPU is short, and commands can't.
  static constexpr int niceness = 10;

  snapshotter_actor::behavior_type make_behavior() override;
  const char* name() const override { return "snapshotter"; }
  void on_exit() override;

private:
  struct destination {
    group_id group;
    node_id to;

    friend auto operator<=>(const destination&, const destination&) = default;
  };
  struct sending {
    outgoing_snapshot content;
    replica_actor replica;
    int64_t moved_ns = 0; ///< When something of it was sent or answered last.
    std::shared_ptr<snapshot_transfers::transfer> shown;
  };
  using sendings = std::map<destination, sending>;
  /// How a transfer ended. After `failed` the core may ask again at once. What a peer refused it
  /// would refuse again: the core isn't told, and asks by itself after some election timeouts.
  enum class ending { sent, failed, refused };

  void on_make(const snapshot_make& x);
  void on_send(const snapshot_send& x);
  void on_read(const snapshot_read& x);
  void on_forget(const snapshot_forget& x);
  void keep_pace(uint64_t bytes);

  // Of clients.
  void read_waiting();
  void read(const snapshot_read& x, uint64_t bytes_max);

  // Outgoing.
  void begin(const destination& where, const snapshot_send& x);
  void begin_waiting();
  [[nodiscard]] bool is_busy(node_id to) const;
  void advance(sendings::iterator which);
  void advance_all(node_id to);
  void end(sendings::iterator which, ending how, std::string_view why);
  /// What is sent can't be read here, or is damaged.
  void end_unread(sendings::iterator which, const error& why);
  [[nodiscard]] sendings::iterator find(node_id to, const transport::bulk_message& x);
  [[nodiscard]] int64_t now_ns();
  void go_on_later();

  // Incoming.
  void on_body(node_id from, const transport::bulk_message& x, const transport::snapshot_offer& y);
  void on_body(node_id from, const transport::bulk_message& x, const transport::snapshot_answer& y);
  void on_body(node_id from, const transport::bulk_message& x, const transport::snapshot_chunk& y);
  void on_body(node_id from, const transport::bulk_message& x,
               const transport::snapshot_progress& y);
  void on_body(node_id from, const transport::bulk_message& x, const transport::snapshot_done& y);
  /// Why an offer isn't taken, or makes room for it.
  result<persistence::snapshot_offer> judge(const transport::bulk_message& x,
                                            const transport::snapshot_offer& offered);

  // Both.
  void on_peer_ready(node_id peer);
  void on_peer_down(node_id peer, const error& reason);
  /// Sends now, or once the peer's connection has room.
  void tell(node_id to, transport::bulk_message what);

  std::shared_ptr<const snapshot_store> store_;
  node_context_ptr node_;
  sendings sending_;
  std::map<destination, snapshot_send> waiting_to_send_; ///< To peers that get enough already.
  std::map<group_id, std::unique_ptr<incoming_snapshot>> receiving_;
  std::map<node_id, std::vector<transport::bulk_message>> untold_; ///< Answers without room.
  snapshot_readings readings_;
  std::deque<snapshot_read> waiting_to_read_; ///< Each takes a place in its group's admission.
  bool is_reading_ = false; ///< A message to close what isn't read any more is under way.
  uint64_t last_transfer_ = 0;
  byte_rate rate_; ///< Of all that is made, sent and read here.
  rng uids_;
  bool is_waiting_ = false; ///< A message to go on is under way.
};

} // namespace caucus
