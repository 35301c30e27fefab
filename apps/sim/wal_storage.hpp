#pragma once

#include "actors/snapshot_store.hpp"
#include "apps/sim/dice.hpp"
#include "apps/sim/disk/memory_directory.hpp"
#include "apps/sim/disk_damage.hpp"
#include "apps/sim/hash.hpp"
#include "apps/sim/snapshot_file.hpp"
#include "persistence/snapshot_offer.hpp"
#include "persistence/wal.hpp"
#include "raft/ready.hpp"

#include <map>
#include <optional>

namespace caucus::sim {

/// A snapshot's file as it travels.
struct shipped_snapshot {
  persistence::snapshot_offer offer;
  std::vector<std::byte> bytes;
};

/// What one node stores, by the production code: log, snapshots, recovery and collector, on a disk
/// in memory that only replaces file and directory (RELIABILITY section 3.1). Everything happens at
/// once; when, is the world's to say. After any failure that isn't for want of room its life is
/// over.
class wal_storage {
public:
  struct settings {
    node_id node;
    uint64_t seed = 0;
    uint64_t segment_bytes = 0;
    uint64_t recovered_bytes = 0;
    int64_t power_permille = 0; ///< Of the crashes: the machine's, the others leave the page cache.
    int64_t inner_crash_permille = 0;    ///< Of what is begun: the node dies at some call within.
    int64_t failed_call_permille = 0;    ///< Of the disk's calls: EIO.
    int64_t snapshot_files_permille = 0; ///< Of the snapshots; the others are records of the log.
    bool keeps_images = false;           ///< Of older states, to be rolled back to.
  };

  /// What a start found.
  struct beginning {
    persistence::recovered_group group;
    std::vector<raft::entry_ptr> entries; ///< The whole log, read back.
    std::optional<persistence::kept_snapshot> loaded;
    std::vector<std::byte> image; ///< Of the machine, as of `loaded`.
    std::vector<std::string> warnings;
    size_t damaged_snapshots = 0; ///< Newer ones that were passed over.
  };

  explicit wal_storage(const settings& how);

  // -- a life ------------------------------------------------------------------
  result<beginning> start(const membership::configuration& first_members);
  /// @returns whether the power failed while something wasn't synced.
  bool crash();
  /// Whether something was in the way that isn't what the disk holds: a restart may help.
  [[nodiscard]] bool is_disturbed() const noexcept { return is_disturbed_ || is_dead(); }
  /// The node has died within a call; what returned since is for nobody to see.
  [[nodiscard]] bool is_dead() const noexcept {
    return dies_at_ != 0 && disk_.call_count() >= dies_at_;
  }
  /// No more bad luck.
  void heal();

  // -- writing -------------------------------------------------------------------
  void stage(const raft::persist_batch& x);
  /// Now and then: what was staged so far becomes a batch of its own, whose sync is under way when
  /// the rest is written. @returns whether it is, or may be, in the file.
  bool write_ahead();
  /// What was staged reaches the page cache. `no_space`: it may be tried again.
  result<void> write();
  /// What was written is durable, with the snapshots told of in between.
  result<void> sync();
  /// What the log's writer does when nobody waits: collects segments, reserves the next one.
  result<void> tidy();
  [[nodiscard]] bool has_room();
  void set_full(bool is_full) noexcept { is_full_ = is_full; }
  void fail_next_sync() noexcept { fails_next_sync_ = true; }
  /// Why this life is over.
  [[nodiscard]] error failure() const {
    return failure_.value_or(error{errc::io_failed, "the node died within a call"});
  }
  [[nodiscard]] bool has_failed() const noexcept { return failure_.has_value() || is_dead(); }

  result<std::vector<raft::entry_ptr>> read(const raft::log_read& x);
  void fail_reads(bool fails) noexcept { fails_reads_ = fails; }

  // -- snapshots -------------------------------------------------------------------
  /// Durable if it is a file; the log is told of it with what is written next.
  result<void> make(const snapshot_file& x);
  [[nodiscard]] bool has_marks() const noexcept { return !marks_.empty(); }
  /// Those that the log was told of, and after which entry it begins since. Once each.
  std::vector<persistence::snapshot_mark> take_marked() { return std::exchange(marked_, {}); }
  /// Those that are in what was written and isn't durable yet.
  [[nodiscard]] const std::vector<persistence::snapshot_mark>& staged_marks() const noexcept {
    return staged_marks_;
  }
  result<shipped_snapshot> ship();
  result<void> receive(const shipped_snapshot& x);
  /// The machine's bytes.
  result<std::vector<std::byte>> load(raft::entry_id last);
  /// The newest that the log knows.
  [[nodiscard]] std::optional<raft::entry_id> newest() const;

  // -- a disk that lies (wal_storage_damage.cpp) --------------------------------------
  /// A bit of what is written turns over. @returns whether there was something.
  bool rot();
  /// The next write of the log or a snapshot never reaches the platter.
  void lose_next_write() noexcept { next_fate_ = damage_kind::lost_write; }
  /// It lands in a place where something else is, as well or instead.
  void misdirect_next_write();
  /// Everything, or one file, is as it once was. Precondition: nothing runs on it. @returns what
  /// was done, if anything could be.
  std::optional<damage_kind> roll_back();
  [[nodiscard]] disk_damage& damage() noexcept { return damage_; }
  [[nodiscard]] const disk_damage& damage() const noexcept { return damage_; }
  /// The cache is gone with the last life: what a start reads is on the platter.
  [[nodiscard]] bool reads_platter() const noexcept { return was_power_; }

  [[nodiscard]] uint64_t segments_recycled() const noexcept { return segments_recycled_; }
  /// Of every byte written so far.
  [[nodiscard]] uint64_t hash() const noexcept { return hash_.value(); }
  [[nodiscard]] testing::memory_disk& disk() noexcept { return disk_; }
  [[nodiscard]] const testing::memory_disk& disk() const noexcept { return disk_; }

private:
  std::optional<error> on_call(const testing::disk_call& x);
  testing::write_fate on_write(const testing::disk_call& x);
  [[nodiscard]] std::string some_file();
  void keep_image();
  void begin_operation();
  result<void> check(result<void> done);
  /// Of what is staged. Nothing: it must be committed alone.
  result<bool> begin_commit();
  result<void> end_commits();
  result<std::vector<std::byte>> load(const persistence::kept_snapshot& from);
  [[nodiscard]] const persistence::kept_snapshot& known(raft::entry_id last) const;
  void keep(persistence::kept_snapshot newest, bool begins_anew);
  void forget(const persistence::kept_snapshot& x);
  [[nodiscard]] persistence::snapshot_header header_of(const snapshot_file& x);

  settings how_;
  dice luck_;
  dice overlap_luck_; ///< Of its own: what overlaps leaves the other luck as it is.
  hasher hash_;
  uint64_t segments_recycled_ = 0;
  testing::memory_disk disk_;
  std::unique_ptr<persistence::directory> directory_;
  std::unique_ptr<persistence::wal> log_;
  std::shared_ptr<persistence::log_reader> reader_;
  std::optional<snapshot_store> store_;
  std::vector<persistence::wal_sync> under_way_; ///< The oldest first.
  std::optional<error> failure_;
  uint64_t dies_at_ = 0; ///< The disk's call; 0: it doesn't.
  bool is_disturbed_ = false;
  bool was_power_ = true;
  bool is_full_ = false;
  bool fails_next_sync_ = false;
  bool fails_reads_ = false;

  std::vector<persistence::kept_snapshot> kept_;  ///< Newest first; the log knows them.
  std::vector<persistence::snapshot_mark> marks_; ///< Not staged yet.
  std::vector<persistence::snapshot_mark> staged_marks_;
  std::vector<persistence::snapshot_mark> marked_;
  /// In this life.
  std::map<raft::entry_id, persistence::kept_snapshot> received_;
  std::vector<persistence::kept_snapshot> superseded_; ///< Before the machine has loaded them.
  index_t loaded_;
  std::vector<raft::entry_id> begun_after_; ///< Staged: with them the log begins anew.

  dice lies_; ///< Of their own, so that a disk that doesn't lie is what it was.
  disk_damage damage_;
  std::optional<damage_kind> next_fate_;
  std::string misdirected_to_;
  uint64_t misdirected_sector_ = 0;
  testing::disk_image old_image_; ///< Empty: none was kept.
  uint64_t old_batch_ = 0;        ///< Its last.
};

} // namespace caucus::sim
