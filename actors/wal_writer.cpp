#include "actors/wal_writer.hpp"

#include "base/assert.hpp"

namespace caucus {

namespace {

/// A batch this large is written at once, though more may be queued: it bounds memory and latency.
constexpr size_t batch_bytes_target = 4 << 20;

} // namespace

wal_writer::wal_writer(caf::actor_config& cfg, caf::execution_unit* home,
                       std::unique_ptr<persistence::wal> log, node_context_ptr node)
  : on_worker{cfg, home}, log_{std::move(log)}, node_{std::move(node)} {}

wal_writer_actor::behavior_type wal_writer::make_behavior() {
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
        pinned_.push_back(x.done);
        must_sync_ = true;
        arm();
      });
    },
    [this](const wal_usage& x) { send(x.asker, gc_usage{log_->usage()}); },
    [this](const wal_collect& x) { guarded([&] { on_collect(x); }); },
    [this](wal_flush) {
      is_armed_ = false;
      guarded([this] { flush(); });
    },
    [this](wal_close) {
      guarded([this] { flush(); });
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
  try {
    log_->add(x.group, x.batch);
  } catch (const invariant_violation& broken) { // Of this group alone; nothing was staged.
    send(x.replica, group_fault{{errc::invariant_violated, broken.what()}});
    return;
  }
  // A commit index alone is a hint for the next start that nobody waits for: it goes with
  // whatever is written next. Else every command would cost the disk a second write.
  if (!x.batch.must_sync && log_->staged_bytes() < batch_bytes_target)
    return;
  waiting_.push_back({x.replica, x.batch.seq});
  must_sync_ = must_sync_ || x.batch.must_sync;
  if (log_->staged_bytes() >= batch_bytes_target)
    flush();
  else
    arm();
}

void wal_writer::on_mark(const wal_mark& x) {
  try {
    log_->add(x.group, x.mark);
  } catch (const invariant_violation& broken) {
    send(x.replica, group_fault{{errc::invariant_violated, broken.what()}});
    return;
  }
  marked_.push_back({x.replica, x.mark.snapshot.at.last});
  must_sync_ = true;
  arm();
}

void wal_writer::on_collect(const wal_collect& x) {
  gc_carried told;
  if (log_->oldest_segment() != collected_) {
    collected_ = log_->oldest_segment();
    told.holders = log_->holders_of_oldest();
  }
  const auto before = log_->staged_bytes();
  bool has_staged = true;
  if (x.content)
    log_->carry(*x.content);
  else
    has_staged = log_->carry_metadata(x.bytes_max);
  told.bytes = log_->staged_bytes() - before;
  must_sync_ = true;
  flush();
  if (has_failed_)
    return;
  if (!has_staged) {
    auto retired = log_->retire_oldest();
    if (!retired) {
      fail(retired.reason());
      return;
    }
    if (*retired == persistence::wal::retirement::removed)
      told.removed = collected_;
  }
  send(x.asker, std::move(told));
}

void wal_writer::arm() {
  if (is_armed_)
    return;
  is_armed_ = true;
  send(this, wal_flush{});
}

void wal_writer::flush() {
  if (waiting_.empty() && marked_.empty() && pinned_.empty() && log_->staged_bytes() == 0)
    return;
  auto must_sync = std::exchange(must_sync_, false);
  if (auto committed = log_->commit(must_sync); !committed) {
    fail(committed.reason());
    return;
  }
  node_->log_batches.fetch_add(1, std::memory_order_relaxed);
  if (must_sync)
    node_->log_syncs.fetch_add(1, std::memory_order_relaxed);
  // One acknowledgement for each replica, with its newest batch: sequences of one replica ascend.
  for (size_t i = 0; i < waiting_.size(); ++i)
    if (i + 1 == waiting_.size() || waiting_[i + 1].replica != waiting_[i].replica)
      send(waiting_[i].replica, group_persisted{waiting_[i].seq});
  waiting_.clear();
  for (auto& x : std::exchange(marked_, {}))
    send(x.replica, group_marked{x.last});
  for (auto& tell : std::exchange(pinned_, {}))
    tell();
}

void wal_writer::fail(error reason) {
  has_failed_ = true;
  waiting_.clear();
  marked_.clear();
  pinned_.clear();
  send(node_->supervisor, node_wal_failed{std::move(reason)});
}

} // namespace caucus
