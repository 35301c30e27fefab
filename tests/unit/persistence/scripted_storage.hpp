#pragma once

#include "persistence/snapshot_catalog.hpp"
#include "tests/unit/persistence/mark_fixture.hpp"
#include "tests/unit/persistence/script_model.hpp"
#include "tests/unit/persistence/snapshot_fixture.hpp"

namespace caucus::testing {

/// A node's whole storage, driven as its actors drive it: the log, snapshots in files and in the
/// log, those received from others, their removal, groups that are deleted, the collector. Knows
/// what a start may find after each step. Every step does nothing once the disk has failed.
class scripted_storage {
public:
  explicit scripted_storage(memory_disk& disk, script_model model = {})
    : disk_{disk}, model_{std::move(model)} {}

  /// Starts and removes what the log doesn't know of, as a node does. False if the disk failed or
  /// something is wrong (`violation`).
  bool start(const persistence::wal_options& options);
  /// Everything that a storage does, some of it several times.
  void run();
  /// Once more all that a node goes on with after a start.
  void go_on();
  void stop() { node_ = {}; }

  [[nodiscard]] const script_model& model() const { return model_; }
  [[nodiscard]] const log_state& found() const { return found_; }
  [[nodiscard]] const std::string& violation() const { return violation_; }
  [[nodiscard]] const error& failure() const { return failure_; }
  /// What the last start repaired.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return node_.found.warnings; }
  [[nodiscard]] uint64_t removed_segments() const { return removed_; }
  [[nodiscard]] uint64_t rotations() const {
    return node_.log ? node_.log->usage().segments.back().sequence - 1 : 0;
  }

private:
  using step_result = result<void>;

  /// Goes on only as long as nothing has failed.
  void step(const std::function<step_result()>& what) {
    if (failure_.code == errc::none)
      if (auto done = what(); !done)
        failure_ = std::move(done).reason();
  }

  log_state& next() { return model_.possible.back(); }
  log_state::group_log& next(uint64_t group) { return next().groups.at(group); }
  /// A new state that may be found from now on; those before may be until it is acknowledged.
  void attempt() { model_.possible.push_back(model_.possible.back()); }
  step_result commit(bool must_sync);

  void create(uint64_t group);
  void erase(uint64_t group);
  void vote(uint64_t group);
  void append(uint64_t group, uint64_t count, bool must_sync = true, uint64_t dropped = 0);
  void reconfigure(uint64_t group);
  void remember_peer(uint64_t node, uint64_t directory);
  void snapshot_to_file(uint64_t group);
  void snapshot_in_log(uint64_t group);
  void install(uint64_t group);
  void restart_log(uint64_t group, raft::entry_id at);
  void collect(int steps);

  [[nodiscard]] std::optional<raft::entry_id> worth_a_snapshot(uint64_t group) const;
  step_result write_file(persistence::directory& dir, uint64_t group, raft::entry_id at);
  step_result mark_snapshot(uint64_t group, persistence::snapshot_mark mark);
  step_result forget_files(uint64_t group, const std::map<uint64_t, std::string>& kept_before);
  step_result remove_unknown();

  std::string check() const;
  std::string check_files() const;
  std::string check_group(const persistence::recovered_group& group) const;
  std::string check_snapshot(const persistence::recovered_group& group,
                             const persistence::kept_snapshot& x) const;

  memory_disk& disk_;
  script_model model_;
  storage node_;
  log_state found_;
  std::string violation_;
  error failure_;
  uint64_t removed_ = 0;
};

} // namespace caucus::testing
