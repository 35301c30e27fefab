#pragma once

#include "actors/node_context.hpp"
#include "actors/on_worker.hpp"
#include "actors/pending_proposals.hpp"
#include "actors/pending_queries.hpp"
#include "actors/replica_snapshots.hpp"
#include "raft/core.hpp"
#include "raft/session_command.hpp"

#include <set>

namespace caucus {

/// The shell around one replica's core: turns messages into inputs, executes each ready, and keeps
/// who waits for what. All inputs that queued up meanwhile share one ready. Lives on a Caucus
/// worker.
class group_replica final : public on_worker<replica_actor::base> {
public:
  struct setup {
    persistence::group_descriptor descriptor;
    raft::core core;
    bool is_new = false; ///< The descriptor isn't in the log yet.
    index_t recovered_last;
    std::vector<persistence::kept_snapshot> snapshots; ///< Newest first; the log knows them.
    std::optional<persistence::kept_snapshot> loaded;  ///< That the machine begins with.
    std::shared_ptr<admission> room;
    caf::strong_actor_ptr handle; ///< Whom outsiders know.
    std::function<machine_actor(const replica_actor&, index_t replay_until)> spawn_machine;
  };

  group_replica(caf::actor_config& cfg, caf::execution_unit* home, setup how,
                node_context_ptr node);

  replica_actor::behavior_type make_behavior() override;
  const char* name() const override { return "group"; }
  void on_exit() override;

private:
  // Inputs (group_replica.cpp).
  void on_command(command& asked, caller who);
  void on_command_batch(command_batch& asked);
  void on_open_session(const open_session& asked);
  void propose_session_command(session_id session, const raft::session_command& what);
  void on_received(group_received& batch);
  void on_tick(bool counts);
  /// Asks a change of members; a leader that sleeps wakes first, for only then it can tell who is
  /// there.
  void ask_awake(raft::input change);
  void on_peer_down(node_id peer);
  /// Tells the timer what it is needed for.
  void note_needs();
  void on_status();
  void on_listener(const leader_listener& listener);
  void propose(raft::command body, pending_proposals::proposal who);
  void step(raft::input in);
  [[nodiscard]] caller single_caller(uint64_t payload_bytes);
  [[nodiscard]] instant now() const;

  /// Until when a caller waits who named this patience; 0: the node's default.
  [[nodiscard]] int64_t deadline_after(uint64_t timeout_ms) const;
  void refresh_now();
  /// Its request's number, or nothing: then it was answered.
  std::optional<request_id> admit(pending_proposals::proposal who);

  // Requests that aren't commands (group_requests.cpp).
  void on_query(query& asked);
  void on_change_members(const change_members& asked);
  void on_transfer(const transfer_leadership& asked);
  void on_step_down(const step_down& asked);
  void on_members();
  void answer_queries();

  // Snapshots (group_snapshots.cpp).
  [[nodiscard]] snapshot_group named_group() const;
  void on_make_snapshot(caller who);
  void on_read_snapshot(const read_snapshot& asked, caller who);
  void make_snapshot_if_due();
  void make_snapshot();
  void answer_if_full();
  void on_view(const group_view& x);
  void on_snapshot_made(const group_snapshot_made& x);
  void on_marked(raft::entry_id last);
  void on_snapshot_damaged(const group_snapshot_damaged& x);
  void on_snapshot_received(const group_snapshot_received& x);
  void keep(persistence::kept_snapshot newest);
  [[nodiscard]] outcome newest_snapshot() const;
  void end_snapshot(const outcome& told);
  void send_snapshot(const raft::snapshot_wanted& wanted);
  /// `log_restart`: the batch with which the log begins anew.
  void restore(raft::entry_id last, persist_seq log_restart);
  void forget_superseded();
  void load_snapshot(const persistence::kept_snapshot& from);

  // The ready (group_ready.cpp).
  void flush();
  void execute(raft::ready& todo);
  void announce_members();
  void announce(const raft::soft_state& changed);
  void publish(term_t term, node_id leader);
  void settle(const raft::ready& todo);
  void apply(std::vector<raft::entry_ptr> committed);
  void acknowledge_applied();
  void send_replies(const std::vector<raft::heartbeat_out>& replies);
  machine_actor& machine();

  /// Stops this group on this node, visibly; the node and its other groups live on.
  void quarantine(error reason);
  template <class F>
  void guarded(F&& work);

  setup how_;
  node_context_ptr node_;
  pending_proposals pending_;
  pending_queries queries_;
  replica_snapshots snapshots_;
  machine_actor machine_;
  std::set<leader_listener> listeners_;
  leader_changed published_;
  raft::soft_state soft_;
  std::optional<error> fault_;
  index_t handed_out_;                ///< The machine was given everything up to here.
  uint64_t unacknowledged_bytes_ = 0; ///< Given to it since it was last asked to tell.
  uint32_t inputs_ = 0;               ///< Since the last ready.
  uint64_t input_bytes_ = 0;
  membership::configuration_ptr members_; ///< In force.
  tick_roster::place_ptr ticks_;
  tick_roster::needs told_needs_;
  std::vector<raft::input> asked_asleep_; ///< Changes of members, until the next tick.
  bool is_leader_lost_ = false;           ///< The link to it is, and it wasn't heard since.
  bool is_armed_ = false;
  bool knew_room_ = true; ///< On the disk, as the core knows it.
  instant now_;           ///< Read once a batch of inputs.
};

} // namespace caucus
