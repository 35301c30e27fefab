#include "actors/wal_writer.hpp"

#include "base/assert.hpp"

namespace caucus {

namespace {

/// A batch this large is written at once, though more may be queued: it bounds memory and latency.
constexpr size_t batch_bytes_target = 4 << 20;
/// A smaller one waits for a sync that is under way: merged with what comes meanwhile it costs
/// less.
constexpr size_t overlapping_bytes_min = 16 << 10;
/// Until a full disk is looked at again.
constexpr std::chrono::milliseconds full_pause{500};

} // namespace

wal_writer::wal_writer(caf::actor_config& cfg, caf::execution_unit* home,
                       std::unique_ptr<persistence::wal> log, node_context_ptr node)
  : on_worker{cfg, home}, log_{std::move(log)}, node_{std::move(node)} {
  if (this->home() == nullptr)
    return;
  const auto self = caf::actor_cast<caf::weak_actor_ptr>(ctrl());
  for (auto& syncer : syncers_)
    syncer = std::make_unique<sync_thread>([self] {
      if (auto writer = caf::actor_cast<wal_writer_actor>(self))
        caf::anon_send(writer, wal_flush{});
    });
}

void wal_writer::on_exit() {
  // Here, not with the last reference: that may be held by one of these threads.
  for (auto& syncer : syncers_)
    syncer.reset();
}

wal_writer_actor::behavior_type wal_writer::make_behavior() {
  send(this, wal_reserve{});
  return {
    [this](const wal_append& x) { guarded([&] { on_append(x); }); },
    [this](const wal_describe& x) {
      guarded([&] {
        log_->add(x.group);
        must_sync_ = true;
        arm();
      });
    },
    [this](const wal_mark& x) { guarded([&] { on_mark(x); }); },
    [this](const wal_pin_peer& x) {
      guarded([&] {
        if (x.founding.id)
          log_->add(x.founding);
        log_->add(x.peer);
        waiting_.pinned.push_back(x.done);
        must_sync_ = true;
        arm();
      });
    },
    [this](const wal_usage& x) {
      gc_usage told{log_->usage(), {}};
      if (!node_->room.is_there() && told.usage.can_collect())
        told.holders = log_->holders_of_oldest();
      send(x.asker, std::move(told));
    },
    [this](const wal_collect& x) { guarded([&] { on_collect(x); }); },
    [this](wal_flush) {
      is_armed_ = false;
      guarded([this] { flush(); });
    },
    [this](wal_reserve) { guarded([this] { reserve(); }); },
    [this](wal_close) {
      guarded([this] {
        end_all_commits();
        if (!has_failed_)
          commit_alone();
      });
      quit();
    },
  };
}

template <class F>
void wal_writer::guarded(F&& work) {
  if (has_failed_)
    return; // No acknowledgement after a failure (RELIABILITY E-01).
  try {
    work();
  } catch (const std::exception& broken) {
    fail({errc::invariant_violated, std::string{"the log's writer: "} + broken.what()});
  }
}

void wal_writer::on_append(const wal_append& x) {
  const auto before = log_->staged_bytes();
  try {
    log_->add(x.group, x.batch);
  } catch (const invariant_violation& broken) { // Of this group alone; nothing was staged.
    send(x.replica, group_fault{{errc::invariant_violated, broken.what()}});
    return;
  }
  node_->log_bytes.fetch_add(log_->staged_bytes() - before, std::memory_order_relaxed);
  // A commit index alone is a hint for the next start that nobody waits for: it goes with
  // whatever is written next. Else every command would cost the disk a second write.
  if (!x.batch.must_sync && log_->staged_bytes() < batch_bytes_target)
    return;
  waiting_.replicas.push_back({x.replica, x.batch.seq});
  must_sync_ = must_sync_ || x.batch.must_sync;
  if (log_->staged_bytes() < batch_bytes_target) {
    arm();
    return;
  }
  flush();
  // What can't be written yet keeps this thread, and so the next in the mailbox, waiting.
  while (!under_way_.empty() && log_->staged_bytes() >= batch_bytes_target) {
    end_commit();
    flush();
  }
}

void wal_writer::on_mark(const wal_mark& x) {
  try {
    log_->add(x.group, x.mark);
  } catch (const invariant_violation& broken) {
    send(x.replica, group_fault{{errc::invariant_violated, broken.what()}});
    return;
  }
  waiting_.marked.push_back({x.replica, x.mark.snapshot.at.last});
  must_sync_ = true;
  arm();
}

void wal_writer::on_collect(const wal_collect& x) {
  end_all_commits();
  if (has_failed_)
    return;
  collecting next{.asker = x.asker};
  if (log_->oldest_segment() != collected_) {
    collected_ = log_->oldest_segment();
    next.told.holders = log_->holders_of_oldest();
  }
  const auto before = log_->staged_bytes();
  next.has_staged = true;
  if (x.content)
    log_->carry(*x.content);
  else
    next.has_staged = log_->carry_metadata(x.bytes_max);
  next.told.bytes = log_->staged_bytes() - before;
  collecting_ = std::move(next);
  // What was moved needs no sync, for which commands would wait, and no batch of its own: its
  // segment goes only after a sync that comes later.
  must_sync_ = must_sync_ || !x.content;
  arm();
}

void wal_writer::finish_collecting() {
  if (!collecting_->has_staged)
    if (const auto retired = retire_oldest(); !retired && !has_failed_) // It is tried again.
      node_->log().warning("event=segment_not_removed reason=\"" + to_string(retired.reason())
                           + "\"");
  if (!has_failed_)
    answer_collector();
}

/// A full disk, so that the collector's step waits for its commit. What the log has said durably
/// that it doesn't need goes all the same, and may be the room that is missing.
void wal_writer::remove_given_up() {
  if (!collecting_)
    return;
  static_cast<void>(retire_oldest()); // It is tried again.
  if (!has_failed_ && collecting_->told.removed != 0)
    answer_collector();
}

result<void> wal_writer::retire_oldest() {
  const auto retired = log_->retire_oldest();
  if (!retired && log_->is_fenced())
    fail(retired.reason());
  if (!retired)
    return retired.reason();
  if (*retired == persistence::wal::retirement::removed) {
    collecting_->told.removed = collected_;
    collecting_->told.file = log_->take_removed();
  }
  return {};
}

void wal_writer::answer_collector() {
  auto step = *std::exchange(collecting_, std::nullopt);
  send(step.asker, std::move(step.told));
}

void wal_writer::arm() {
  if (is_armed_)
    return;
  is_armed_ = true;
  send(this, wal_flush{});
}

void wal_writer::flush() {
  end_commits_that_can();
  if (has_failed_ || (may_overlap() && begin_commit()))
    return;
  if (under_way_.empty()) // Else the end of a sync comes back to it.
    commit_alone();
}

bool wal_writer::may_overlap() const {
  return syncers_.front() && must_sync_ && !collecting_ && under_way_.size() < syncers_.size()
         && log_->staged_bytes() >= overlapping_bytes_min;
}

bool wal_writer::begin_commit() {
  auto begun = log_->begin_commit();
  if (!begun) {
    fail(begun.reason());
    return true;
  }
  if (!*begun)
    return false;
  node_->log_batches.fetch_add(1, std::memory_order_relaxed);
  must_sync_ = false;
  under_way_.emplace_back(**begun, std::exchange(waiting_, {}));
  syncers_[(*begun)->batch() % syncers_.size()]->begin(**begun);
  look_ahead();
  return true;
}

void wal_writer::end_commit() {
  auto [sync, told] = std::move(under_way_.front());
  under_way_.pop_front();
  auto ended = log_->end_commit(sync, syncers_[sync.batch() % syncers_.size()]->take());
  if (!ended) {
    fail(ended.reason());
    return;
  }
  node_->log_syncs.fetch_add(1, std::memory_order_relaxed);
  acknowledge(std::move(told));
}

void wal_writer::end_commits_that_can() {
  while (!under_way_.empty()
         && syncers_[under_way_.front().first.batch() % syncers_.size()]->has_ended())
    end_commit();
}

void wal_writer::end_all_commits() {
  while (!under_way_.empty())
    end_commit();
}

void wal_writer::commit_alone() {
  const bool is_idle = waiting_.replicas.empty() && waiting_.marked.empty()
                       && waiting_.pinned.empty() && log_->staged_bytes() == 0;
  if (!is_idle && !commit()) {
    remove_given_up();
    return;
  }
  acknowledge(std::exchange(waiting_, {}));
  if (collecting_)
    finish_collecting();
  look_ahead();
}

void wal_writer::look_ahead() {
  if (log_->wants_reserve() && !is_full_)
    reserve();
  if (auto prepared = log_->prepare(); !prepared)
    node_->log().warning("event=segment_not_prepared reason=\"" + to_string(prepared.reason())
                         + "\"");
}

bool wal_writer::commit() {
  auto committed = log_->commit(must_sync_);
  if (!committed && log_->is_fenced()) {
    fail(committed.reason());
    return false;
  }
  if (!committed) {
    tell_room(committed);
    return false;
  }
  node_->log_batches.fetch_add(1, std::memory_order_relaxed);
  if (std::exchange(must_sync_, false))
    node_->log_syncs.fetch_add(1, std::memory_order_relaxed);
  return true;
}

void wal_writer::acknowledge(waiters told) {
  // One acknowledgement for each replica, with its newest batch: sequences of one replica ascend.
  const auto& replicas = told.replicas;
  for (size_t i = 0; i < replicas.size(); ++i)
    if (i + 1 == replicas.size() || replicas[i + 1].replica != replicas[i].replica)
      send(replicas[i].replica, group_persisted{replicas[i].seq});
  for (const auto& x : told.marked)
    send(x.replica, group_marked{x.last});
  for (const auto& tell : told.pinned)
    tell();
}

void wal_writer::reserve() {
  is_full_ = false;
  auto found = log_->reserve();
  if (!found && log_->is_fenced()) {
    fail(found.reason());
    return;
  }
  if (found)
    flush(); // What waited for it; perhaps that needs more room still.
  else
    remove_given_up();
  if (!is_full_ && !has_failed_)
    tell_room(found);
}

/// Without room entries are refused, which leaves the rest of the segment to votes and to what
/// makes room again (RELIABILITY E-05).
void wal_writer::tell_room(const result<void>& found) {
  const bool had_room = node_->room.is_there();
  node_->room.tell(found ? std::string{} : found.reason().what);
  if (!found && !std::exchange(is_full_, true))
    delayed_send(this, full_pause, wal_reserve{});
  if (had_room && !found)
    node_->log().error("event=disk_full reason=\"" + found.reason().what
                       + "\" action=\"until it can be set aside this node leads no group and takes "
                         "no entries; then it goes on by itself\"");
  else if (!had_room && found)
    node_->log().info("event=disk_has_room");
}

void wal_writer::fail(error reason) {
  has_failed_ = true;
  waiting_ = {};
  under_way_.clear();
  collecting_.reset();
  send(node_->supervisor, node_wal_failed{std::move(reason)});
}

} // namespace caucus
