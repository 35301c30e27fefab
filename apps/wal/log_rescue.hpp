#pragma once

#include "persistence/group_log.hpp"
#include "persistence/group_records.hpp"
#include "persistence/log_visitor.hpp"
#include "persistence/snapshot_name.hpp"
#include "persistence/wal.hpp"

#include <map>
#include <set>
#include <vector>

namespace caucus::wal_tool {

/// Finds out, while a survey walks a damaged log, what still makes sense of it: each group's log
/// from its begin or a snapshot on up to its first hole, its newest term and vote, the node's
/// peers.
class log_rescue final : public persistence::log_visitor {
public:
  struct group_outcome {
    std::string name;
    index_t begins_after;    ///< The entry before the first one that is kept.
    index_t kept;            ///< The last one.
    uint64_t lost_first = 0; ///< Entries behind a hole; 0: none.
    uint64_t lost_last = 0;
    uint64_t damaged_records = 0;
  };

  void on_record(const persistence::surveyed_record& x) override;
  void on_problem(const persistence::log_problem& x) override;

  /// Once the survey is over.
  [[nodiscard]] std::map<group_id, group_outcome> groups() const;
  [[nodiscard]] const std::vector<persistence::log_problem>& problems() const { return problems_; }
  /// Sound records of groups of which no record says what they are.
  [[nodiscard]] uint64_t orphans() const;
  /// Files that what is kept refers to; they aren't part of the log.
  [[nodiscard]] std::vector<persistence::snapshot_name> snapshot_files() const;

  /// Reads what is kept once more and makes it durable in a new log.
  result<void> write(persistence::directory& from, persistence::wal& into) const;

private:
  struct group_state {
    persistence::group_log log;
    std::optional<persistence::group_descriptor> descriptor;
    std::optional<raft::hard_state> hard;
    std::vector<persistence::kept_snapshot> snapshots;
    uint64_t records = 0;
    uint64_t damaged_records = 0;
  };

  void take_node_record(const persistence::surveyed_record& x);
  void take_deleted(const persistence::surveyed_record& x);
  group_state& meet(const persistence::surveyed_record& x);
  void take_entries(group_state& group, const persistence::surveyed_record& x);
  void take_truncation(group_state& group, index_t from);
  void take_snapshot(group_state& group, const persistence::surveyed_record& x);
  void take_checkpoint(group_state& group, const persistence::surveyed_record& x);
  static group_outcome outcome_of(const group_state& group);
  static result<void> write_group(const group_state& group, persistence::directory& from,
                                  persistence::wal& into);

  std::map<group_id, group_state> groups_;
  std::map<group_id, persistence::group_tombstone> tombstones_;
  membership::founding founding_;
  std::map<node_id, directory_id> peers_;
  std::vector<persistence::log_problem> problems_;
  persistence::segment_rows rows_;
};

} // namespace caucus::wal_tool
