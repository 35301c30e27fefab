#pragma once

#include "base/rng.hpp"
#include "raft/invariants.hpp"

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace caucus::test {

/// Replicas of one group in one thread: a network, a disk and a machine for each, all under the
/// test's control and all from one seed. Every step checks the safety properties of Raft (thesis
/// Fig. 3.2) and that nothing leaves a replica before what it says is durable; a violation throws
/// `invariant_violation`.
class core_cluster {
public:
  struct options {
    std::vector<uint64_t> voters = {1, 2, 3};
    std::vector<uint64_t> learners = {};
    std::vector<uint64_t> spares = {}; ///< Run from the start, members of nothing yet.
    raft::core_options core = {};
    std::map<uint64_t, uint8_t> priorities = {};
    std::function<void(uint64_t, raft::core_options&)> adjust = {}; ///< Per replica.
    uint64_t seed = 1;
  };
  struct packet {
    uint64_t from = 0;
    uint64_t to = 0;
    raft::message body;
  };

  explicit core_cluster(options x);
  core_cluster() : core_cluster(options{}) {}

  // -- inputs ---------------------------------------------------------------------
  void step(uint64_t id, raft::input in);
  void tick(uint64_t id, uint32_t count = 1);
  void tick_all(uint32_t count = 1);
  /// The number of the request; its payload is unique.
  uint64_t propose(uint64_t id);
  /// The number of the request. Whatever is committed anywhere by now, its answer must cover.
  uint64_t read(uint64_t id, raft::consistency how = raft::consistency::linearizable);
  uint64_t transfer(uint64_t id, uint64_t target);
  /// Changes members; the number of the request, whose fate `is_committed` doesn't tell.
  uint64_t change(uint64_t id, membership::change_request x);
  /// Sync: the disk has done all (or the first `count`) batches that it was given.
  void sync(uint64_t id, size_t count = ~size_t{0});
  void apply(uint64_t id);
  /// Answers the reads of old entries from the disk; failing ones bring nothing.
  void answer_reads(uint64_t id, bool is_failing = false);
  /// Makes a snapshot of the machine's state `kept` entries ago, and frees the log up to there.
  void compact(uint64_t id, uint64_t kept = 0);
  /// Brings the oldest snapshot that is wanted from its sender to its receiver.
  void carry_snapshot(bool is_lost = false, bool is_reported = true);
  void install_snapshot(uint64_t id, const raft::snapshot_boundary& x);
  /// Loses what is not durable. A machine that keeps its own effects knows what it applied.
  void crash(uint64_t id);
  void restart(uint64_t id, bool machine_keeps_state = false);

  // -- the network ----------------------------------------------------------------
  void deliver(size_t position);
  void drop(size_t position);
  /// Delivers, syncs, applies and reads until nothing is left to do.
  void settle();
  /// One way.
  void cut(uint64_t from, uint64_t to) { cuts_[{from, to}] = true; }
  void isolate(uint64_t id);
  void heal() { cuts_.clear(); }
  /// While set, packets for which it says true wait in `held`.
  std::function<bool(const packet&)> hold;
  std::deque<packet> held;
  /// Puts what was held back on the wire.
  void release();
  std::deque<packet> wire;
  struct wanted_snapshot {
    uint64_t from = 0;
    uint64_t to = 0;
    index_t at_least;
  };
  std::deque<wanted_snapshot> snapshots_wanted;
  uint64_t snapshots_installed = 0;
  uint64_t sleeps = 0; ///< How often anybody fell asleep.

  // -- shorthands -------------------------------------------------------------------
  /// Campaigns at once and requires that it wins.
  void elect(uint64_t id);
  /// Ticks everybody until one leads that a majority follows; false after `ticks_max`.
  bool tick_until_leader(uint32_t ticks_max);
  /// Of the highest term; 0 if nobody leads.
  [[nodiscard]] uint64_t leader() const;

  // -- what happened ------------------------------------------------------------------
  struct answer {
    errc refused = errc::none;
    raft::entry_id place;
    std::string detail;
  };
  [[nodiscard]] raft::core_status status(uint64_t id) const;
  [[nodiscard]] bool is_up(uint64_t id) const { return at(id).core.has_value(); }
  /// The configuration in force at `id`.
  [[nodiscard]] const membership::configuration& members(uint64_t id) const;
  [[nodiscard]] const std::vector<uint64_t>& ids() const { return ids_; }
  [[nodiscard]] const std::vector<raft::entry_ptr>& applied(uint64_t id) const {
    return at(id).applied;
  }
  /// Terms of the log as its disk will have it once it's done.
  [[nodiscard]] std::vector<uint64_t> log_terms(uint64_t id) const;
  [[nodiscard]] std::optional<answer> answer_to(uint64_t request) const;
  /// Who leads since the transfer, if it is done.
  [[nodiscard]] std::optional<node_id> transferred_to(uint64_t request) const;
  /// The index to read at, if the read may be answered.
  [[nodiscard]] std::optional<index_t> read_at(uint64_t request) const;
  [[nodiscard]] uint64_t transfers_done() const { return transferred_.size(); }
  [[nodiscard]] uint64_t changes_committed() const { return changes_committed_; }
  [[nodiscard]] uint64_t reads_answered() const { return reads_answered_; }
  /// Whether the request's payload was committed anywhere.
  [[nodiscard]] bool is_committed(uint64_t request) const;
  /// Checks what only the end can tell: nothing "not executed" was executed, applied states agree.
  void check_at_end() const;

  bool is_disk_stuck(uint64_t id) const { return at(id).is_disk_stuck; }
  void set_disk_stuck(uint64_t id, bool x) { at(id).is_disk_stuck = x; }
  bool machine_stuck = false;
  /// Entries that recovery hands to a restarted core; the rest is on disk only.
  std::function<size_t(size_t)> tail_of = [](size_t entries) { return entries; };

private:
  struct stored {
    raft::hard_state hard;
    std::vector<raft::entry_ptr> log; ///< Entry i + 1 at position i; also what was compacted.
    raft::entry_id compacted;
    void write(const raft::persist_batch& x, const std::vector<raft::entry_ptr>& committed);
    /// A snapshot's content is what was committed.
    void begin_after(raft::entry_id last, const std::vector<raft::entry_ptr>& committed);
  };
  struct replica {
    std::optional<raft::core> core;
    stored disk;   ///< Durable.
    stored shadow; ///< As the disk will be when it has done all it was given.
    std::deque<raft::persist_batch> unsynced;
    std::vector<raft::entry_ptr> to_apply;
    std::vector<raft::entry_ptr> applied;
    std::optional<raft::entry_id> restore; ///< What the machine has to load, after `to_apply`'s
                                           ///< entries up to it.
    raft::entry_id file;                   ///< The newest snapshot that is durable here.
    std::deque<raft::log_read> reads;
    bool is_disk_stuck = false;
    uint64_t boot = 0;
  };
  struct asked_read {
    uint64_t by = 0;
    index_t at_least;
    std::optional<index_t> answer;
  };

  replica& at(uint64_t id) { return replicas_.at(id); }
  const replica& at(uint64_t id) const { return replicas_.at(id); }
  void start(uint64_t id, index_t applied);
  void take(uint64_t id);
  void tell_sleeper(uint64_t id);
  void recover_from_file(replica& r);
  void check_read(uint64_t id, const raft::ready_read& x);
  void put_on_wire(packet x);
  void check_message(uint64_t id, const raft::envelope& x) const;
  void check_batch(uint64_t id, const raft::persist_batch& x);
  void check_status(uint64_t id);
  void check_leader(uint64_t id, const raft::core_status& now);
  void check_quorum(uint64_t id, const raft::core_status& now) const;

  options options_;
  std::vector<uint64_t> ids_;
  std::map<uint64_t, replica> replicas_;
  std::map<std::pair<uint64_t, uint64_t>, bool> cuts_;
  rng rng_;
  int64_t now_ns_ = 0;
  uint64_t next_request_ = 1;

  struct known_entry {
    term_t before;
    raft::entry_ptr entry;
  };
  std::map<raft::entry_id, known_entry> known_; ///< Every entry that any log ever had.
  std::map<term_t, uint64_t> leader_of_term_;   ///< Of the whole run.
  std::vector<raft::entry_ptr> committed_;      ///< Entry i + 1 at position i.
  std::map<uint64_t, answer> answers_;
  std::map<uint64_t, asked_read> reads_;
  uint64_t reads_answered_ = 0;
  std::map<uint64_t, node_id> transferred_;
  std::map<std::string, uint64_t> committed_payloads_;
  std::set<uint64_t> changes_; ///< Requests that were membership changes.
  uint64_t changes_committed_ = 0;
};

/// Of voters 1, 2, …; nobody leads yet.
core_cluster cluster_of(uint64_t voters);

/// Ticks for all, one after the other, with everything done that each brings.
void pass_time(core_cluster& x, uint32_t ticks);

/// A change of one member; new ones get an address of their own.
membership::member_change change_of(enum membership::member_change::kind what, uint64_t node);
/// Taken at once, caught up or not.
membership::change_request
at_once(std::vector<membership::member_change> changes,
        membership::change_mode mode = membership::change_mode::automatic);

} // namespace caucus::test
