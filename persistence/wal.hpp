#pragma once

#include "persistence/carried.hpp"
#include "persistence/file.hpp"
#include "persistence/log_reader.hpp"
#include "persistence/log_usage.hpp"
#include "persistence/wal_identity.hpp"
#include "persistence/wal_options.hpp"
#include "persistence/wal_recovery.hpp"
#include "persistence/wal_sync.hpp"

namespace caucus::persistence {

struct opened_wal;

/// The node's one append-only log, shared by all its groups. One thread owns it; `reader()`s may be
/// used from others. Records are staged with `add…` into one batch, and `commit` writes it.
/// The directory must outlive it.
class wal {
public:
  /// Reads everything back, repairs a torn tail, counts this start durably. Refusals:
  /// `identity_mismatch` (nothing was written), `version_mismatch`, `wal_corrupt`,
  /// `invalid_option`, those of `accept`; each names the file and what to do.
  static result<opened_wal> open(directory& dir, wal_identity id, wal_options options = {},
                                 const recovery_progress& progress = {},
                                 const recovery_check& accept = {});
  ~wal();

  /// Stages what a group's core wants kept. A gap in the entries or a group that was never added is
  /// a broken invariant (RELIABILITY S-41) and stages nothing; a deleted group's are dropped.
  /// A log that begins anew after an installed snapshot needs that one marked before.
  void add(group_id group, const raft::persist_batch& batch);
  /// A snapshot whose file is durable, or a small one with its bytes. The newest two are known, and
  /// the log is kept from `begins_after` on. One that ends before the log begins, or is older than
  /// both, stages nothing.
  void add(group_id group, const snapshot_mark& mark);
  /// A group begins. Adding an equal one again stages nothing.
  void add(const group_descriptor& group);
  void add_deleted(group_id group);
  /// A group that is there begins with other members than it did: it is one of another cluster now.
  void add_new_beginning(group_id group, const membership::configuration& members);
  void add(const peer_identity& peer);
  void add_forgotten(node_id peer);
  /// Replaces an older one.
  void add(const membership::founding& x);

  [[nodiscard]] size_t staged_bytes() const noexcept;

  /// One write of everything staged and, if `must_sync`, one sync that covers it and all batches
  /// before. Where a new segment is needed and the disk has no room for one, `no_space`: nothing
  /// was written, all stays staged, and it may be tried again (RELIABILITY E-05). After any other
  /// failure the log is fenced: this and every later call returns the same error, and nothing
  /// staged since the last success may be acknowledged (RELIABILITY E-01 to E-03).
  result<void> commit(bool must_sync);
  [[nodiscard]] bool is_fenced() const noexcept;

  /// One write of everything staged; its sync is the caller's to run, while it goes on staging and
  /// begins the next commit: up to `syncs_max` are under way at once. Nothing, and all stays
  /// staged, if it takes more than that: a new segment or a descriptor that can't be had. Then
  /// `commit` does it, once no sync is under way; so does whatever else this class offers but
  /// staging, `reserve` and `prepare`. Precondition: something is staged.
  result<std::optional<wal_sync>> begin_commit();
  /// The oldest sync that is under way has ended so. Only then its batch can be read, may be
  /// acknowledged, and counts as durable, though a later one's sync ended before. If it failed the
  /// log is fenced, and neither of the two may be acknowledged.
  result<void> end_commit(const wal_sync& oldest, result<void> ended);
  [[nodiscard]] size_t syncs_under_way() const noexcept;

  /// Sets room aside for one more segment. `no_space` changes nothing: what is left of the current
  /// one is for votes and for what makes room. Other failures fence, as for `commit`.
  result<void> reserve();
  /// Whether there is nothing set aside, since a segment has begun.
  [[nodiscard]] bool wants_reserve() const noexcept;

  /// Makes a stretch of what was set aside ready to be written fast, in step with what was
  /// committed. Worth a call after each commit, once nobody waits. A failure concerns nothing that
  /// was committed.
  result<void> prepare();

  // For a collector of segments, which does all that takes time elsewhere. A segment goes once
  // nothing in it is needed: `carry_metadata` until nothing is left, `carry` what it read, `commit`
  // each, then `retire_oldest`.

  enum class retirement : uint8_t {
    nothing, ///< Something in the oldest segment is needed.
    waiting, ///< The log has to say durably that it isn't: after the next `commit` with a sync.
    removed, ///< One segment is gone, durably.
  };

  [[nodiscard]] log_usage usage() const;
  /// The groups that need the oldest segment for entries or small snapshots, the largest first.
  [[nodiscard]] std::vector<log_usage::holder> holders_of_oldest() const;
  [[nodiscard]] uint64_t oldest_segment() const noexcept;
  /// There are older segments than the newest, and no damaged group needs all there is.
  [[nodiscard]] bool can_collect() const noexcept;
  /// Stages again what the oldest segment has besides entries and small snapshots, about
  /// `bytes_max` of it. False: that was all.
  bool carry_metadata(size_t bytes_max);
  /// Stages what of it is still current and still there: nothing, if the group went on meanwhile.
  void carry(const carried& x);
  /// Does one thing towards removing the oldest segment.
  result<retirement> retire_oldest();
  /// The file of the segment that was removed last, with its blocks: to give back tens of MiB takes
  /// long, and holds up other files' syncs. Null: it was taken, or its blocks have gone.
  [[nodiscard]] std::unique_ptr<file> take_removed();

  /// Entries can be read once their `commit` has returned.
  [[nodiscard]] std::shared_ptr<log_reader> reader() const;

private:
  struct state;

  explicit wal(std::unique_ptr<state> opened);

  std::unique_ptr<state> state_;
};

struct opened_wal {
  std::unique_ptr<wal> log;
  wal_recovery recovery;
};

} // namespace caucus::persistence
