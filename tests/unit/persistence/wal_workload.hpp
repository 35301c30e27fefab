#pragma once

#include "base/rng.hpp"
#include "persistence/segment_collector.hpp"
#include "tests/unit/persistence/log_state.hpp"
#include "tests/unit/persistence/mark_fixture.hpp"

#include <algorithm>
#include <deque>
#include <optional>

namespace caucus::testing {

enum class workload_kind : uint8_t {
  plain,
  collecting,  ///< Segments, meanwhile.
  overlapping, ///< Collecting, and up to two syncs are under way.
};

/// Drives a log with random batches and knows after each what a start may find: the state after any
/// batch from the last acknowledged one to the last attempted one. Outlives crashes of its disk.
class wal_workload {
public:
  explicit wal_workload(uint64_t seed, workload_kind kind = workload_kind::plain)
    : random_{seed},
      collects_{kind != workload_kind::plain},
      overlaps_{kind == workload_kind::overlapping} {
    options_.segment_bytes = 8 << 10;
    options_.zero_ahead_bytes = random_.chance(50) ? 4096 : 0;
  }

  /// Starts on the disk and checks what it found. False if the disk failed meanwhile.
  bool start_on(memory_disk& disk) {
    node_ = {};
    auto started = try_start(disk, options_);
    if (!started) {
      failure_ = started.reason();
      return false;
    }
    node_ = *std::move(started);
    const auto found = state_of(node_.found);
    const auto match = std::find(possible_.begin(), possible_.end(), found);
    if (match == possible_.end() || node_.found.boot <= boot_) {
      violation_ = match == possible_.end() ? "the state is none that may be left" : "old boot";
      return false;
    }
    // Recovery made it durable: nothing older may come back.
    boot_ = node_.found.boot;
    possible_ = {found};
    return true;
  }

  /// Commits `count` random batches; stops at the first failure.
  void run(uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      auto next = possible_.back();
      for (auto records = 1 + random_.below(3); records > 0; --records)
        stage(next);
      possible_.push_back(next);
      const bool is_whole = overlaps_ && random_.chance(70) ? begin_commit() : commit();
      if (!is_whole)
        return;
      if (overlaps_ && random_.chance(75))
        continue;
      for (auto steps = collects_ ? random_.below(4) : 0; steps > 0; --steps)
        if (!end_commits(0) || !collect())
          return;
    }
    end_commits(0);
  }

  void stop() {
    under_way_.clear();
    node_ = {};
  }

  [[nodiscard]] const std::string& violation() const { return violation_; }
  [[nodiscard]] const error& failure() const { return failure_; }
  [[nodiscard]] uint64_t removed_segments() const { return removed_; }
  [[nodiscard]] uint64_t acknowledged() const { return acknowledged_; }
  [[nodiscard]] uint64_t overlapped() const { return overlapped_; }
  storage& node() { return node_; }

private:
  /// A commit whose sync is under way. The disk syncs at once, when it is told to: somewhere
  /// between the batch's write and the end that the log is told of.
  struct commit_under_way {
    persistence::wal_sync sync;
    log_state after;
    std::optional<result<void>> ended{};
  };

  bool fail(const error& reason) {
    failure_ = reason;
    return false;
  }

  bool commit() {
    if (!end_commits(0))
      return false;
    const bool must_sync = random_.chance(70);
    const auto done = node_.log->commit(must_sync);
    if (!done)
      return fail(done.reason());
    if (must_sync) {
      possible_ = {possible_.back()};
      ++acknowledged_;
    }
    return true;
  }

  bool begin_commit() {
    if (!end_commits(persistence::syncs_max - 1))
      return false;
    for (auto& x : under_way_)
      if (!x.ended && random_.chance(50))
        x.ended = x.sync.run();
    if (node_.log->staged_bytes() == 0)
      return commit();
    auto begun = node_.log->begin_commit();
    if (!begun)
      return fail(begun.reason());
    if (!*begun)
      return commit();
    overlapped_ += under_way_.size();
    under_way_.push_back({**begun, possible_.back()});
    // The later one's sync may end before the other.
    if (random_.chance(30))
      under_way_.back().ended = under_way_.back().sync.run();
    return true;
  }

  /// Until as many are left.
  bool end_commits(size_t left) {
    while (under_way_.size() > left) {
      auto& oldest = under_way_.front();
      if (!oldest.ended)
        oldest.ended = oldest.sync.run();
      const auto done = node_.log->end_commit(oldest.sync, *oldest.ended);
      if (!done)
        return fail(done.reason());
      possible_.erase(possible_.begin(),
                      std::find(possible_.begin(), possible_.end(), oldest.after));
      ++acknowledged_;
      under_way_.pop_front();
    }
    return true;
  }

  void stage(log_state& state) {
    const auto dice = random_.below(20);
    if (state.groups.size() < 2 || dice == 0)
      return create(state);
    auto picked =
      std::next(state.groups.begin(), static_cast<ptrdiff_t>(random_.below(state.groups.size())));
    if (dice == 1) {
      node_.log->add_deleted(group_id{picked->first});
      state.deleted.insert(picked->first);
      state.groups.erase(picked);
    } else if (dice == 2) {
      const persistence::peer_identity peer{node_id{1 + random_.below(3)},
                                            directory_id{1 + random_.below(100)}};
      node_.log->add(peer);
      state.peers[peer.node.value()] = peer.directory.value();
    } else if (dice == 3 && !state.peers.empty()) {
      node_.log->add_forgotten(node_id{state.peers.begin()->first});
      state.peers.erase(state.peers.begin());
    } else if (dice < 8) {
      take_snapshot(picked->first, picked->second);
    } else if (dice == 8) {
      install_snapshot(picked->first, picked->second);
    } else {
      append(picked->first, picked->second);
    }
  }

  /// Of what the log has, in a file or small; the log is kept back to the older one, or less.
  void take_snapshot(uint64_t id, log_state::group_log& log) {
    const auto at = log.at(log.begins_after.index.value() + random_.below(log.entries.size() + 1));
    if (!at.index || log.snapshots.contains(at.index.value()))
      return;
    if (log.snapshots.size() == 2 && at.index.value() < log.snapshots.begin()->first)
      return node_.log->add(group_id{id}, mark(boundary(at.index.value(), 1))); // No news.
    auto mark = make_mark(at);
    if (!log.snapshots.empty() && random_.chance(80)) {
      const auto begin = std::min(log.snapshots.rbegin()->first, at.index.value());
      if (begin > log.begins_after.index.value() && begin <= log.last()) {
        const auto begins_after = log.at(begin);
        mark.begins_after = boundary(begin, begins_after.term.value(), {1 + begin % 9});
      }
    }
    node_.log->add(group_id{id}, mark);
    keep(log, mark);
    if (mark.begins_after.last.index)
      begin_after(log, mark.begins_after.last);
  }

  void install_snapshot(uint64_t id, log_state::group_log& log) {
    const raft::entry_id at{index_t{log.last() + 1 + random_.below(5)}, term_t{++term_}};
    if (!log.snapshots.empty() && at.index.value() <= log.snapshots.rbegin()->first)
      return append(id, log); // What it had one of was overwritten here; no leader does that.
    const auto mark = make_mark(at);
    node_.log->add(group_id{id}, mark);
    raft::persist_batch batch;
    batch.snapshot = at;
    batch.hard = raft::hard_state{at.term, {}, at.index};
    node_.log->add(group_id{id}, batch);
    keep(log, mark);
    log.entries.clear();
    log.begins_after = {};
    log.configurations.clear();
    begin_after(log, at);
    log.hard = *batch.hard;
  }

  persistence::snapshot_mark make_mark(raft::entry_id at) {
    const auto where = boundary(at.index.value(), at.term.value(), {1 + at.index.value() % 9});
    const auto content = "state " + std::to_string(at.index.value())
                         + std::string(random_.below(random_.chance(10) ? 3000 : 50), 's');
    return random_.chance(50) ? mark(where) : small_mark(where, content);
  }

  static void keep(log_state::group_log& log, const persistence::snapshot_mark& mark) {
    const auto& x = mark.snapshot;
    log.snapshots[x.at.last.index.value()] = x.is_small ? std::string{x.bytes.view()} : "file";
    while (log.snapshots.size() > 2)
      log.snapshots.erase(log.snapshots.begin());
  }

  static void begin_after(log_state::group_log& log, raft::entry_id at) {
    log.begin_after(at);
    log.hard.commit = std::max(log.hard.commit, at.index);
  }

  /// A step of collecting, which changes nothing that a start finds.
  bool collect() {
    persistence::segment_collector collector{node_.log->reader()};
    const auto oldest = node_.log->oldest_segment();
    const auto done = collect_step(*node_.log, collector, 4 << 10);
    if (!done) {
      failure_ = done.reason();
      return false;
    }
    if (*done == persistence::collected::durable)
      possible_ = {possible_.back()};
    removed_ += node_.log->oldest_segment() - oldest;
    return true;
  }

  void create(log_state& state) {
    const auto id = ++last_group_;
    node_.log->add(descriptor(group_id{id}, id));
    state.groups[id] = {};
  }

  void append(uint64_t id, log_state::group_log& log) {
    raft::persist_batch batch;
    if (random_.chance(30)) {
      const auto kept = random_.below(log.entries.size() + 1);
      batch.truncate_from = log.begins_after.index + 1 + kept;
      log.entries.resize(kept);
      log.configurations.erase(log.configurations.lower_bound(batch.truncate_from->value()),
                               log.configurations.end());
    }
    if (random_.chance(40))
      ++term_;
    for (auto count = random_.below(6); count > 0; --count) {
      const std::string payload(1 + random_.below(random_.chance(3) ? 9000 : 300), 'p');
      batch.entries.push_back(make_entry(log.last() + 1, term_, payload));
      if (random_.chance(10))
        batch.entries.back() = make_configuration(log);
      log.entries.push_back(batch.entries.back()->id);
    }
    log.hard = {term_t{term_}, node_id{random_.below(4)},
                index_t{std::min<uint64_t>(log.hard.commit.value(), log.last())}};
    batch.hard = log.hard;
    node_.log->add(group_id{id}, batch);
  }

  raft::entry_ptr make_configuration(log_state::group_log& log) {
    const auto index = log.last() + 1;
    log.configurations[index] = 1 + random_.below(9);
    return configuration_entry(index, term_, {log.configurations[index]});
  }

  rng random_;
  bool collects_;
  bool overlaps_;
  std::deque<commit_under_way> under_way_;
  uint64_t overlapped_ = 0;
  uint64_t removed_ = 0;
  persistence::wal_options options_ = small_options();
  storage node_;
  std::vector<log_state> possible_{log_state{}};
  boot_count boot_;
  uint64_t last_group_ = 0;
  uint64_t term_ = 1;
  uint64_t acknowledged_ = 0;
  std::string violation_;
  error failure_;
};

} // namespace caucus::testing
