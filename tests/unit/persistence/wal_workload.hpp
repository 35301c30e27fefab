#pragma once

#include "base/rng.hpp"
#include "tests/unit/persistence/wal_fixture.hpp"

#include <algorithm>
#include <map>

namespace caucus::testing {

/// What a node's log says, for comparison.
struct log_state {
  struct group_log {
    raft::hard_state hard;
    std::vector<raft::entry_id> entries;
    std::map<uint64_t, uint64_t> configurations; ///< Index of the entry; its only voter.

    friend bool operator==(const group_log&, const group_log&) = default;
  };

  std::map<uint64_t, group_log> groups;
  std::map<uint64_t, uint64_t> peers;
  std::set<uint64_t> deleted;

  friend bool operator==(const log_state&, const log_state&) = default;
};

inline log_state state_of(const persistence::wal_recovery& found) {
  log_state state;
  for (const auto& group : found.groups) {
    auto& log = state.groups[group.descriptor.group.value()];
    log.hard = group.hard;
    for (const auto& x : group.tail)
      log.entries.push_back(x->id);
    for (const auto& x : group.configurations)
      log.configurations[x.id.value()] = x.members->voters.begin()->value();
  }
  for (const auto& peer : found.peers)
    state.peers[peer.node.value()] = peer.directory.value();
  for (const auto& tombstone : found.tombstones)
    state.deleted.insert(tombstone.group.value());
  return state;
}

/// Drives a log with random batches and knows after each what a start may find: the state after any
/// batch from the last acknowledged one to the last attempted one. Outlives crashes of its disk.
class wal_workload {
public:
  explicit wal_workload(uint64_t seed) : random_{seed} {
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
      const bool must_sync = random_.chance(70);
      const auto done = node_.log->commit(must_sync);
      if (!done) {
        failure_ = done.reason();
        return;
      }
      if (must_sync) {
        possible_ = {next};
        ++acknowledged_;
      }
    }
  }

  void stop() { node_ = {}; }

  [[nodiscard]] const std::string& violation() const { return violation_; }
  [[nodiscard]] const error& failure() const { return failure_; }
  [[nodiscard]] uint64_t acknowledged() const { return acknowledged_; }
  storage& node() { return node_; }

private:
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
    } else {
      append(picked->first, picked->second);
    }
  }

  void create(log_state& state) {
    const auto id = ++last_group_;
    node_.log->add(descriptor(group_id{id}, id));
    state.groups[id] = {};
  }

  void append(uint64_t id, log_state::group_log& log) {
    raft::persist_batch batch;
    if (random_.chance(30)) {
      batch.truncate_from = index_t{1 + random_.below(log.entries.size() + 1)};
      log.entries.resize(std::min<size_t>(log.entries.size(), batch.truncate_from->value() - 1));
      log.configurations.erase(log.configurations.lower_bound(batch.truncate_from->value()),
                               log.configurations.end());
    }
    if (random_.chance(40))
      ++term_;
    for (auto count = random_.below(6); count > 0; --count) {
      const std::string payload(1 + random_.below(random_.chance(3) ? 9000 : 300), 'p');
      batch.entries.push_back(make_entry(log.entries.size() + 1, term_, payload));
      if (random_.chance(10))
        batch.entries.back() = make_configuration(log);
      log.entries.push_back(batch.entries.back()->id);
    }
    log.hard = {term_t{term_}, node_id{random_.below(4)},
                index_t{std::min<uint64_t>(log.hard.commit.value(), log.entries.size())}};
    batch.hard = log.hard;
    node_.log->add(group_id{id}, batch);
  }

  raft::entry_ptr make_configuration(log_state::group_log& log) {
    const auto index = log.entries.size() + 1;
    log.configurations[index] = 1 + random_.below(9);
    return configuration_entry(index, term_, {log.configurations[index]});
  }

  rng random_;
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
