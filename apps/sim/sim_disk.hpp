#pragma once

#include "apps/sim/dice.hpp"
#include "apps/sim/disk_record.hpp"
#include "apps/sim/log_mirror.hpp"
#include "apps/sim/snapshot_file.hpp"
#include "apps/sim/wal_storage.hpp"
#include "base/ring.hpp"
#include "raft/recovered_state.hpp"

#include <map>
#include <optional>

namespace caucus::sim {

/// One node's disk: a file of records, written through a cache that a crash makes forget.
///
///     handed over ──► written (in the cache) ──► durable
///                     a crash keeps any subset of its sectors
///
/// One sector's write is atomic; sectors that were not synced reach the platter in any order
/// (DESIGN.md section 5, RELIABILITY W-01, W-02, W-16).
///
/// The file and its snapshots are a model of the production ones, small and fast. Or they are the
/// production ones (sim_disk_wal.cpp): then this only watches that they keep what they promise.
class sim_disk {
public:
  static constexpr size_t sector_bytes = 512;

  /// What a crash cost.
  struct loss {
    uint64_t batches = 0; ///< Handed over and gone.
    uint64_t torn = 0;    ///< Records of which only a part survived, or nothing before others did.
  };

  /// What a restart finds.
  struct contents {
    log_mirror log;
    raft::hard_state hard;
  };

  /// How a restart on a disk that lies has ended.
  enum class finding : uint8_t {
    as_written,
    shortened, ///< Something durable is gone, where no record could tell.
    rolled_back
  };

  /// Before anything else: the group's first members, empty for a node that joins.
  void use_production(const wal_storage::settings& how) {
    wal_ = std::make_unique<wal_storage>(how);
  }
  [[nodiscard]] wal_storage* production() const noexcept { return wal_.get(); }
  void format(membership::configuration_ptr first_members) {
    first_members_ = {index_t{}, std::move(first_members)};
    durable_.log.set_first_members(first_members_);
  }

  void hand_over(raft::persist_batch batch, int64_t at_us) {
    queue_.push_back({std::move(batch), at_us});
  }
  [[nodiscard]] bool is_busy() const noexcept { return is_busy_; }
  [[nodiscard]] bool has_queued() const noexcept {
    return !queue_.empty() || (wal_ && wal_->has_marks());
  }
  [[nodiscard]] int64_t oldest_queued_us() const noexcept {
    return queue_.empty() ? 0 : queue_.front().at_us;
  }

  /// Writes up to `batches_max` of what was handed over by `now_us`. @returns a hash of the bytes.
  /// Precondition: not busy; something was. A production storage may fail to, and isn't busy then.
  uint64_t start(int64_t now_us, int64_t batches_max);
  /// The sync is done. @returns the highest seq that is durable now. A production storage may fail.
  persist_seq finish();

  /// The file is whole and durable. Only the newest one is kept.
  void publish(snapshot_file x);
  [[nodiscard]] const std::optional<snapshot_file>& snapshot() const noexcept { return snapshot_; }
  /// Precondition: it was published.
  [[nodiscard]] const snapshot_file& file_of(raft::entry_id last) const { return files_.at(last); }
  /// The log up to and including `upto` may go; what isn't durable stays.
  void cut(index_t upto);

  /// Everything in memory is gone; unsynced sectors stay as the dice say, or (not `torn`) none.
  loss crash(dice& draw, bool torn);
  /// Reads the platter from its first byte. Throws `violation` if something durable is missing.
  contents recover();
  /// Of the last `recover`. If it isn't `as_written`: what was durable before is `forgotten`.
  [[nodiscard]] finding found() const noexcept { return found_; }
  [[nodiscard]] const contents& forgotten() const noexcept { return forgotten_; }
  /// It won't be read again: what it had promised counts, as of a node that is dead.
  void bury() {
    if (found_ != finding::as_written)
      durable_ = forgotten_;
  }
  [[nodiscard]] bool has_passed_over() const noexcept { return has_passed_over_; }

  // Of a production storage only.

  /// Before `recover`: the start itself. Its error is why the node can't run.
  result<void> open();
  /// After it: what the production code hands to the core.
  raft::recovered_state take_core_state() { return std::move(core_state_); }
  /// The snapshots that the log was told of since: up to where it may be compacted.
  std::vector<index_t> take_compactable() { return std::exchange(compactable_, {}); }
  /// What a reader of the log finds; throws `violation` if that isn't what was written.
  result<std::vector<raft::entry_ptr>> read(const raft::log_read& x);
  /// Loads a snapshot of which the core was told; throws `violation` if it isn't what was made.
  result<snapshot_file> load(raft::entry_id last);

  [[nodiscard]] const log_mirror& durable() const noexcept { return durable_.log; }
  [[nodiscard]] const raft::hard_state& durable_hard() const noexcept { return durable_.hard; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {bytes_}; }

private:
  struct queued {
    raft::persist_batch batch;
    int64_t at_us = 0;
  };

  /// What was durable after some batch of the production log, in short.
  struct milestone {
    uint64_t batch = 0;
    raft::hard_state hard;
    raft::entry_id before;
    uint64_t before_hash = 0;
    membership::numbered_configuration members; ///< As of `before`.
    index_t last;
    uint64_t last_hash = 0;
  };

  uint64_t start_production(int64_t now_us, int64_t batches_max);
  persist_seq finish_production();
  loss crash_production();
  contents recover_production();
  [[nodiscard]] bool is_found(const contents& expected, contents& found) const;
  [[nodiscard]] bool is_found(const milestone& expected, contents& found) const;
  [[nodiscard]] bool is_explained(contents& found);
  void persist(const raft::persist_batch& x);
  void note_milestone(uint64_t batch);
  void check_image(raft::entry_id last, const std::vector<std::byte>& image) const;

  void replay(const raft::persist_batch& x, contents& onto) const;
  /// What a restart makes of the log and the newest snapshot. @returns whether the log began anew.
  bool reconcile(contents& x) const;
  void begin_after(raft::entry_id snapshot, contents& x) const;
  void apply_marks(uint64_t number, contents& x) const;
  void write(std::span<const std::byte> record);
  void check_recovered(const contents& found, uint64_t number) const;

  std::unique_ptr<wal_storage> wal_; ///< Null: the model below.
  wal_storage::beginning beginning_; ///< Of this life.
  raft::recovered_state core_state_;
  std::vector<index_t> compactable_;
  std::vector<persistence::snapshot_mark> lost_marks_; ///< In flight at the last crash.
  std::vector<milestone> milestones_;
  finding found_ = finding::as_written;
  contents forgotten_;
  bool has_passed_over_ = false; ///< A damaged snapshot, at the last restart.

  bool is_busy_ = false;
  ring<queued> queue_;
  std::vector<raft::persist_batch> in_flight_;
  std::vector<std::byte> bytes_; ///< As the cache has it; after a crash as the platter has it.
  std::vector<std::byte> under_; ///< What the unsynced write has replaced, from synced_end_ on.
  std::vector<std::byte> scratch_;
  size_t synced_end_ = 0;
  size_t end_ = 0;              ///< Of the last record written; dead bytes may follow.
  uint64_t number_ = 0;         ///< Of the last record written.
  uint64_t durable_number_ = 0; ///< Of the last one synced.
  uint64_t epoch_ = 1;
  size_t opened_at_ = 0; ///< Where this life began to write: no older record counts from here on.
  membership::numbered_configuration first_members_;
  std::optional<snapshot_file> snapshot_;
  std::map<raft::entry_id, snapshot_file>
    files_; ///< All that were ever here, to replay old records.
  /// Restarts that found a snapshot ahead of the log: after which record, and which one. Written
  /// as durably as the epoch, or the records that follow would leave a gap behind them.
  std::multimap<uint64_t, raft::entry_id> marks_;
  index_t cut_;                                 ///< The log was freed up to there.
  contents durable_;                            ///< What must never be lost again.
  std::vector<raft::persist_batch> lost_maybe_; ///< In flight at the last crash.
  /// So many of what is in flight were written before the others: they may be there alone.
  size_t written_ahead_ = 0;
  uint64_t ahead_batch_ = 0; ///< Of the log, which has them.
  size_t lost_ahead_ = 0;    ///< The same of `lost_maybe_`.
};

} // namespace caucus::sim
