#pragma once

#include "base/instant.hpp"
#include "base/rng.hpp"
#include "membership/quorum.hpp"
#include "raft/apply_window.hpp"
#include "raft/configurations.hpp"
#include "raft/core_options.hpp"
#include "raft/core_status.hpp"
#include "raft/handover.hpp"
#include "raft/held_replies.hpp"
#include "raft/input.hpp"
#include "raft/log.hpp"
#include "raft/ready.hpp"
#include "raft/recovered_state.hpp"
#include "raft/roles.hpp"

namespace caucus::raft {

/// One replica of one group: the pure part of Raft. Inputs go in through `step`, everything that
/// the shell must do comes out of `take_ready`. Owned by its shell, used from one thread at a time;
/// knows no clock, file, socket or thread. Many steps may be taken before one ready: that is the
/// batching point.
class core {
public:
  core(core_options options, recovered_state from_disk);

  /// Never fails and never blocks: what makes no sense is counted and dropped. Throws
  /// `invariant_violation` if a rule of Raft itself is broken; the core is unusable then.
  void step(input in, instant now);

  /// Whether `take_ready` would bring anything.
  [[nodiscard]] bool has_ready() const noexcept;
  /// What to do next; leaves nothing behind.
  [[nodiscard]] ready take_ready(instant now);

  /// Sleeps: needs no ticks until it is stepped with anything else (quiescence.cpp).
  [[nodiscard]] bool is_asleep() const noexcept { return is_asleep_; }

  [[nodiscard]] core_status describe() const;
  /// What a snapshot of the machine as of `index` must carry. Precondition: `index` is committed
  /// and not compacted; the last compacted one will do.
  [[nodiscard]] snapshot_boundary boundary_at(index_t index) const;

private:
  friend class invariants;

  struct read_under_way {
    node_id to;
    index_t first;
    index_t last;
  };

  // -- inputs (core.cpp; proposals.cpp, reads.cpp, log_reads.cpp, election.cpp, ...)
  void on(const tick& x);
  void on(received& x);
  void on(propose& x);
  void on(propose_change& x);
  void on(const persisted& x);
  void on(const applied& x);
  void on(log_read_done& x);
  void on(const peer_unreachable& x);
  void on(const campaign& x);
  void on(const read& x);
  void on(const transfer& x);
  void on(const step_down& x);
  void on(const compact& x);
  void on(const snapshot_sent& x);
  void on(snapshot_installed& x);
  void on(const storage& x);

  // -- messages (election.cpp, follower.cpp, replication.cpp, proposals.cpp, reads.cpp)
  void on(node_id from, const request_vote& x);
  void on(node_id from, const vote_reply& x);
  void on(node_id from, append_entries& x);
  void on(node_id from, const append_reply& x);
  void on(node_id from, const heartbeat& x);
  void on(node_id from, const heartbeat_reply& x);
  void on(node_id from, const timeout_now& x);
  void on(node_id from, forward_proposal& x);
  void on(node_id from, const forward_reply& x);
  void on(node_id from, const read_index& x);
  void on(node_id from, const read_index_reply& x);
  void on(node_id from, const quiesce& x);

  // -- terms and roles (core.cpp) ----------------------------------------------
  [[nodiscard]] enum role role() const noexcept { return static_cast<enum role>(role_.index()); }
  template <class Role>
  [[nodiscard]] Role* as() noexcept {
    return std::get_if<Role>(&role_);
  }
  template <class Role>
  [[nodiscard]] const Role* as() const noexcept {
    return std::get_if<Role>(&role_);
  }
  void enter_term(term_t term);
  void set_leader(node_id leader);
  void become_follower(term_t term, node_id leader);
  void restart_election_timer();
  /// Settles the term of an answer to us. False: it concerns nobody any more.
  [[nodiscard]] bool is_current_reply(node_id from, term_t term);
  /// Removed, but still told so by us, who lead: its answers count, its term doesn't.
  [[nodiscard]] bool is_leaving_peer(node_id from, term_t term) const noexcept;
  void set_commit(index_t commit);

  // -- durability (core.cpp) ---------------------------------------------------
  /// The batch after which term and vote are durable: 0 if they are.
  [[nodiscard]] persist_seq promise_after() const noexcept;
  /// Sends `reply` once term and vote, and the log up to `match`, are durable.
  void reply_when_durable(node_id to, message reply, index_t match = {});

  // -- election.cpp ------------------------------------------------------------
  void tick_election();
  void start_election(bool is_transfer);
  [[nodiscard]] bool is_elector() const;
  void stop_waiting();
  void become_pre_candidate();
  void become_candidate(bool is_transfer);
  void become_leader();
  /// Our own vote may have become durable: count it and ask for the others'.
  void ask_once_durable();
  /// Asks the voters whose answer is missing, or may change.
  void ask_for_votes();
  void note_vain_request(const request_vote& x);
  void on_pre_vote(node_id from, const request_vote& x);
  void count_vote(node_id from, bool is_granted);
  [[nodiscard]] bool is_leader_alive() const noexcept;
  [[nodiscard]] bool is_up_to_date(entry_id last) const noexcept;

  // -- follower.cpp ------------------------------------------------------------
  /// Settles the term of a leader's message and follows it. False: it is of an old leader.
  [[nodiscard]] bool follow(node_id from, term_t term);
  void become_follower_of(node_id from, term_t term);
  void accept_entries(node_id from, append_entries& x);
  [[nodiscard]] bool skip_compacted(append_entries& x) const;
  void cut_from(index_t from);
  void adopt(entry_ptr x);

  // -- replication.cpp ---------------------------------------------------------
  void tick_leader();
  void send_heartbeats();
  void check_quorum();
  void advance_commit();
  [[nodiscard]] bool has_entries_to_send(const progress& peer) const noexcept;
  [[nodiscard]] bool wants_peer_read(const progress& peer) const noexcept;
  [[nodiscard]] bool wants_empty_append(const progress& peer) const noexcept;
  /// Exactly whether `replicate` would send or read something.
  [[nodiscard]] bool wants_replication(const progress& peer) const noexcept;
  void replicate(progress& peer, ready& out);
  /// Sends `entries`, which follow peer.next - 1 and cost `bytes`; none ask about the peer's log.
  void send_append(progress& peer, std::vector<entry_ptr> entries, uint64_t bytes, ready& out);
  void handle_rejection(progress& peer, const append_reply& x);

  // -- membership.cpp ----------------------------------------------------------
  /// In force, committed or not.
  [[nodiscard]] const membership::configuration& members() const noexcept {
    return *configurations_.latest().members;
  }
  [[nodiscard]] index_t latest_id() const noexcept { return configurations_.latest().id; }
  /// The latest change isn't committed, or its joint phase not left.
  [[nodiscard]] bool is_change_in_flight() const noexcept {
    return latest_id() > commit_ || members().is_joint();
  }
  /// Leader: appends the configuration that is asked for, or says why not.
  [[nodiscard]] result<entry_id> change_members(const membership::change_request& x);
  /// The same for a forwarded one, which `reply` answers.
  void change_members(const command& forwarded, forward_reply& reply);
  [[nodiscard]] result<membership::configuration>
  plan_change(const membership::change_request& x) const;
  /// Of the new voters, one that lacks too much of the log; `none` if there is none.
  [[nodiscard]] error find_lagging(const membership::configuration& next) const;
  entry_id append_configuration(membership::configuration next);
  /// Leader, after each step: what a configuration that is committed now makes due.
  void finish_change();
  void promote_staging();
  [[nodiscard]] bool is_caught_up(index_t match) const noexcept;
  /// Whether a voter answered lately; missing: it has not had the time to.
  [[nodiscard]] membership::vote heard_lately(node_id id) const;
  /// Why the configuration could not commit anything right now; `none` if it could.
  [[nodiscard]] error find_unreachable(const membership::configuration& x) const;
  void drop_departed();
  void announce_configuration();
  /// The committed configuration that removed the node, as far as we know; 0: none.
  [[nodiscard]] index_t removal_of(node_id id) const;
  void note_removal(node_id from, const vote_reply& x);
  [[nodiscard]] bool is_removed() const noexcept {
    return told_removed_by_ != index_t{} && told_removed_by_ >= latest_id();
  }
  /// No member by what is committed, nor by what we were told.
  [[nodiscard]] bool is_outsider() const;
  /// Whether an outsider was asked, who then has refused.
  [[nodiscard]] bool refuse_as_outsider(request_id request);
  void note_departure();

  // -- proposals.cpp -----------------------------------------------------------
  /// Why a command may not be proposed, whoever leads.
  [[nodiscard]] errc inadmissible(const command& x) const noexcept;
  /// Leader: why it takes no more right now.
  [[nodiscard]] errc overloaded() const noexcept;
  /// Why a proposal can't be sent on to the leader.
  [[nodiscard]] errc unforwardable() const noexcept;
  entry_id append_own(command body);
  void forward(request_id request, command body);
  void refuse_forwarded();
  void expire_forwarded();

  // -- reads.cpp ---------------------------------------------------------------
  void check_lease_options() const;
  [[nodiscard]] size_t waiting_reads() const noexcept;
  /// Leader: an entry of its own term is committed.
  [[nodiscard]] bool has_committed_in_term() const noexcept;
  [[nodiscard]] bool wants_round() const noexcept;
  void send_round();
  void on_echo(progress& peer, const heartbeat_reply& x);
  void confirm_reads();
  /// The newest round that a majority has answered in such a way: 0 to `last_round`.
  [[nodiscard]] read_context round_of_quorum(read_context progress::*answered) const;
  [[nodiscard]] bool wants_to_ask() const noexcept;
  void ask_leader();
  void refuse_read(const read_queue::waiting& x);
  void refuse_reads();
  void tick_reads();
  /// How long a voter keeps still for a leader that it answered.
  [[nodiscard]] int64_t promise_ns() const noexcept {
    return options_.election_ticks * options_.tick_ns;
  }
  void renew_promise();
  [[nodiscard]] bool is_promised() const noexcept;

  // -- snapshots.cpp -----------------------------------------------------------
  [[nodiscard]] bool wants_snapshot(const progress& peer) const noexcept;
  void ask_for_snapshot(progress& peer, ready& out);
  void restore(snapshot_installed& x);

  // -- quiescence.cpp ----------------------------------------------------------
  void wake_for(const input& x);
  void wake();
  [[nodiscard]] bool is_idle() const;
  void tick_idle();
  void stay_awake();
  [[nodiscard]] bool may_sleep() const;
  void call_for_leader();

  // -- transfer.cpp ------------------------------------------------------------
  void begin_handover(node_id target);
  void await_handover(std::vector<request_id>& answered_with, request_id request);
  [[nodiscard]] bool is_handing_over() const noexcept;
  void hand_over();
  void tick_handover();
  void fail_handover();
  void settle_handover(node_id leader);
  void refuse_transfer(request_id request, errc reason);
  [[nodiscard]] node_id best_target() const;
  void yield_to_priority();

  // -- log_reads.cpp -----------------------------------------------------------
  [[nodiscard]] bool is_reading_for(node_id to) const noexcept;
  void read_log(node_id to, index_t first, index_t last, uint64_t bytes_max, ready& out);
  [[nodiscard]] bool wants_apply_read() const noexcept;
  void finish_apply_read(log_read_done& x);
  void finish_peer_read(progress& peer, log_read_done& x);

  // -- storage.cpp -------------------------------------------------------------
  void tick_storage();

  // -- core_ready.cpp ----------------------------------------------------------
  [[nodiscard]] hard_state hard() const noexcept { return {term_, voted_for_, commit_}; }
  [[nodiscard]] soft_state soft() const noexcept { return {term_, leader_, role()}; }
  [[nodiscard]] index_t applicable() const noexcept { return std::min(commit_, log_.persisted()); }
  void collect_committed(ready& out);
  /// Up to here the machine was given all, and all peers that aren't silent have it: if it is
  /// wanted once more, the disk has it.
  [[nodiscard]] index_t spent() const noexcept;
  void collect_persist(ready& out);

  core_options options_;
  instant now_;
  rng rng_;
  configurations configurations_;
  log log_;
  apply_window apply_;

  term_t term_;
  node_id voted_for_;
  index_t commit_;
  hard_state handed_hard_; ///< What the disk was told last.
  persist_seq next_seq_{1};
  persist_seq durable_;        ///< All batches up to it are.
  persist_seq promise_seq_;    ///< The batch that told the disk this term and vote.
  persist_seq awaited_;        ///< The newest batch that the disk won't keep to itself.
  uint32_t stalled_ticks_ = 0; ///< Since the disk was done with anything, while it is awaited.
  bool has_room_ = true;       ///< On the disk, for entries.

  role_data role_;
  node_id leader_;         ///< Whom we follow, or ourselves; 0: nobody known.
  node_id leader_of_term_; ///< As `leader_`, but only a new term forgets it.
  uint32_t elapsed_ = 0;   ///< Ticks since the leader was heard, or the election began.
  uint32_t timeout_ = 0;   ///< Ticks until the next election.
  uint64_t ticks_ = 0;
  uint64_t asked_ = 0;               ///< Questions for an index to read at, in this life.
  int64_t promised_until_ns_ = 0;    ///< No vote before, but for a transfer: a lease counts on it.
  bool is_renewing_promise_ = false; ///< An answer that promises leaves with the next ready.
  bool is_fresh_ = true;             ///< No step was taken yet.
  bool is_counted_on_ = false;       ///< A learner whose vote is asked for, and can't be given.
  bool is_asleep_ = false;           ///< Follower or leader: all is said and done.
  uint64_t awake_until_tick_ = 0;    ///< Follower: no sleep before.
  int64_t wall_ns_ = 0;              ///< Of the newest entry seen.

  bool was_outsider_ = false; ///< After the last step.
  index_t told_removed_by_;   ///< By a member; counts while it is newer than what our log says.

  std::optional<handover> handover_; ///< Of our leadership, until its outcome is known.
  held_replies held_;
  std::vector<read_under_way> reads_; ///< At most one per target.
  std::vector<entry_ptr> read_to_apply_;
  ready out_; ///< What the next ready says, as far as it is known already.
  soft_state told_soft_;
  noise_counters noise_;
};

} // namespace caucus::raft
