#pragma once

#include "raft/invariants.hpp"

#include <deque>
#include <map>
#include <optional>

namespace caucus::golden {

/// A snapshot of a machine, which holds all the entries that it executed.
struct snapshot_file {
  raft::snapshot_boundary at;
  std::vector<raft::entry_ptr> executed; ///< But those before the trace began.
};

/// One replica of a trace: a core, and a disk, an outbox and a machine that do nothing by
/// themselves. What a ready asks for waits in a queue each until the script has it done. Every step
/// checks the core's invariants, and that nothing is promised before it is durable.
class scripted_replica {
public:
  struct setup {
    raft::core_options options;
    membership::configuration members;
    raft::hard_state hard;
    raft::entry_id compacted; ///< The log begins after it; its entries were applied.
    std::vector<raft::entry_ptr> log;
  };

  explicit scripted_replica(setup x);

  [[nodiscard]] bool is_up() const noexcept { return core_.has_value(); }
  [[nodiscard]] raft::core_status status() const { return core_.value().describe(); }
  [[nodiscard]] bool has_ready() const { return core_.value().has_ready(); }

  void step(raft::input in, instant now);
  /// Takes the ready and queues its parts; what it said is returned for the transcript.
  raft::ready take(instant now);

  /// Next for the machine: an entry, or a snapshot to load.
  struct machine_work {
    raft::entry_ptr entry;
    raft::entry_id restore;
  };

  // -- what a ready asked for and wasn't done yet -------------------------------------
  std::deque<raft::envelope> outbox;
  std::deque<raft::persist_batch> unsynced;
  std::deque<machine_work> to_apply;
  std::deque<raft::log_read> reads;
  std::deque<raft::snapshot_wanted> snapshots;

  /// The oldest batch is durable from now on. Precondition: there is one.
  persist_seq write_next();
  /// The machine does the oldest work that waits for it. Precondition: there is some.
  index_t apply_next();
  /// What the disk holds of the oldest read. Precondition: there is one.
  raft::log_read_done read_next();

  /// Of the machine as it is now.
  [[nodiscard]] snapshot_file make_snapshot() const;
  /// The file is durable here.
  void keep(snapshot_file x);
  /// Makes a snapshot as of `upto`, and drops the log up to there if the core does. Preconditions:
  /// the machine has applied it; it isn't compacted.
  void compact(index_t upto, instant now);

  /// Loses what is not durable, and what the machine holds.
  void crash();
  /// A machine that keeps its own effects knows what it applied.
  void restart(bool machine_keeps_state);

  /// The log as the disk will have it when it has done all it was given.
  [[nodiscard]] const std::vector<raft::entry_ptr>& log() const noexcept { return shadow_.log; }
  [[nodiscard]] const std::vector<raft::entry_ptr>& applied() const noexcept {
    return machine_.executed;
  }
  [[nodiscard]] const raft::core_options& options() const noexcept { return options_; }
  [[nodiscard]] raft::entry_id compacted() const noexcept { return disk_.compacted; }

private:
  struct stored {
    raft::hard_state hard;
    raft::entry_id compacted;
    membership::numbered_configuration members; ///< As of `compacted`.
    std::vector<raft::entry_ptr> log;

    void write(const raft::persist_batch& x);
    /// Empties the log, which goes on after the snapshot.
    void begin_after(const raft::snapshot_boundary& x);
    void drop_up_to(const raft::snapshot_boundary& x);
    [[nodiscard]] raft::entry_id at(index_t index) const;
    [[nodiscard]] index_t last() const noexcept { return compacted.index + log.size(); }
  };

  struct machine_state {
    std::vector<raft::entry_ptr> executed;
    index_t upto;
  };

  void start();
  void write(stored& where, const raft::persist_batch& x) const;
  void load(const snapshot_file& x) { machine_ = {x.executed, x.at.last.index}; }
  /// What recovery does with a snapshot that goes beyond the log, or beside it.
  void recover_from_newest();
  void check_promise(const raft::envelope& x) const;

  raft::core_options options_;
  stored disk_;   ///< Durable.
  stored shadow_; ///< As the disk will be when it has done all it was given.
  machine_state machine_;
  std::map<raft::entry_id, snapshot_file> files_; ///< Durable; never empty.
  std::optional<raft::core> core_;
};

} // namespace caucus::golden
