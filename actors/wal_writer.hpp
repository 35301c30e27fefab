#pragma once

#include "actors/node_context.hpp"
#include "actors/on_worker.hpp"
#include "actors/sync_thread.hpp"
#include "persistence/wal.hpp"

#include <array>
#include <deque>

namespace caucus {

/// The only one who writes the log. Everything that queued up during one sync goes into the next
/// batch: the first append of a batch sends itself a flush, which comes behind all that is already
/// queued. Runs on a thread of its own because writes block, and some syncs; with such a thread it
/// leaves the syncs of plain batches to two more, so that a large batch is written and its sync
/// begins while the one before is synced (docs/adr/0014).
class wal_writer final : public on_worker<wal_writer_actor::base> {
public:
  wal_writer(caf::actor_config& cfg, caf::execution_unit* home,
             std::unique_ptr<persistence::wal> log, node_context_ptr node);

  wal_writer_actor::behavior_type make_behavior() override;
  const char* name() const override { return "wal_writer"; }
  void on_exit() override;

private:
  struct waiting_replica {
    replica_actor replica;
    persist_seq seq;
  };

  struct marked_replica {
    replica_actor replica;
    raft::entry_id last;
  };

  /// A step of collecting that isn't written yet.
  struct collecting {
    gc_actor asker;
    gc_carried told;
    bool has_staged = false;
  };

  /// Who waits for one commit.
  struct waiters {
    std::vector<waiting_replica> replicas;
    std::vector<marked_replica> marked;
    std::vector<std::function<void()>> pinned;
  };

  void on_append(const wal_append& x);
  void on_mark(const wal_mark& x);
  void on_collect(const wal_collect& x);
  void arm();
  void flush();
  /// Whether what is staged is worth a sync beside this thread, and there may be one now.
  [[nodiscard]] bool may_overlap() const;
  /// Writes what is staged and leaves its sync to another thread. False: nothing was done, it must
  /// be committed alone.
  bool begin_commit();
  /// Waits for the oldest sync that is under way.
  void end_commit();
  void end_commits_that_can();
  void end_all_commits();
  /// Writes and syncs on this thread. Precondition: no sync is under way.
  void commit_alone();
  /// Whether what is staged was written; if the disk is full, it stays.
  bool commit();
  void acknowledge(waiters told);
  /// What is for a moment when nobody waits.
  void look_ahead();
  void finish_collecting();
  void remove_given_up();
  /// Notes for the collector what went.
  result<void> retire_oldest();
  void answer_collector();
  /// Sets room aside for what comes, or tells that there is none.
  void reserve();
  void tell_room(const result<void>& found);
  /// Nothing that breaks in here may end the writer in silence: it fails with the reason.
  template <class F>
  void guarded(F&& work);
  void fail(error reason);

  std::unique_ptr<persistence::wal> log_;
  node_context_ptr node_;
  waiters waiting_; ///< For what is staged.
  /// Commits whose syncs are under way, the oldest first, and who waits for each.
  std::deque<std::pair<persistence::wal_sync, waiters>> under_way_;
  /// Batch n is synced by n modulo their number. None: on a thread that others share.
  std::array<std::unique_ptr<sync_thread>, persistence::syncs_max> syncers_;
  uint64_t collected_ = 0; ///< The segment that is being collected.
  std::optional<collecting> collecting_;
  bool is_full_ = false; ///< The disk; a message to look again is under way.
  bool must_sync_ = false;
  bool is_armed_ = false;
  bool has_failed_ = false;
};

} // namespace caucus
