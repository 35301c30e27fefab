#pragma once

#include "raft/invariants.hpp"

#include <deque>
#include <optional>

namespace caucus::golden {

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

  // -- what a ready asked for and wasn't done yet -------------------------------------
  std::deque<raft::envelope> outbox;
  std::deque<raft::persist_batch> unsynced;
  std::deque<raft::entry_ptr> to_apply;
  std::deque<raft::log_read> reads;

  /// The oldest batch is durable from now on. Precondition: there is one.
  persist_seq write_next();
  /// The machine executes the oldest entry. Precondition: there is one.
  index_t apply_next();
  /// What the disk holds of the oldest read. Precondition: there is one.
  raft::log_read_done read_next();

  /// Loses what is not durable, and what the machine holds.
  void crash();
  /// A machine that keeps its own effects knows what it applied.
  void restart(bool machine_keeps_state);

  /// The log as the disk will have it when it has done all it was given.
  [[nodiscard]] const std::vector<raft::entry_ptr>& log() const noexcept { return shadow_.log; }
  [[nodiscard]] const std::vector<raft::entry_ptr>& applied() const noexcept { return applied_; }
  [[nodiscard]] const raft::core_options& options() const noexcept { return options_; }
  [[nodiscard]] raft::entry_id compacted() const noexcept { return disk_.compacted; }

private:
  struct stored {
    raft::hard_state hard;
    raft::entry_id compacted;
    std::vector<raft::entry_ptr> log;

    void write(const raft::persist_batch& x);
    [[nodiscard]] raft::entry_id at(index_t index) const;
    [[nodiscard]] index_t last() const noexcept { return compacted.index + log.size(); }
  };

  void start(index_t applied);
  void check_promise(const raft::envelope& x) const;

  raft::core_options options_;
  membership::configuration members_;
  stored disk_;                          ///< Durable.
  stored shadow_;                        ///< As the disk will be when it has done all it was given.
  std::vector<raft::entry_ptr> applied_; ///< Since `compacted`.
  std::optional<raft::core> core_;
};

} // namespace caucus::golden
