#pragma once

#include "persistence/log_visitor.hpp"
#include "persistence/wal.hpp"

#include <map>

namespace caucus::wal_tool {

/// Takes over, while a survey walks a damaged log, what still makes sense of it: each group's log
/// up to its first hole, its newest term and vote, the node's peers. With a new log they are
/// written into it, else only counted.
class log_rescue final : public persistence::log_visitor {
public:
  struct group_outcome {
    std::string name;
    index_t kept;            ///< The last entry taken over.
    uint64_t lost_first = 0; ///< Entries seen behind a hole; 0: none.
    uint64_t lost_last = 0;
    uint64_t damaged_records = 0;
  };

  /// `into` may be null.
  explicit log_rescue(persistence::wal* into) : into_{into} {}

  void on_record(const persistence::surveyed_record& x) override;
  void on_problem(const persistence::log_problem& x) override;

  /// Makes the new log durable.
  result<void> finish();

  [[nodiscard]] const std::map<group_id, group_outcome>& groups() const { return groups_; }
  [[nodiscard]] const std::vector<persistence::log_problem>& problems() const { return problems_; }
  /// Sound records of groups whose creation can't be read.
  [[nodiscard]] uint64_t orphans() const { return orphans_; }

private:
  void take_group(const persistence::surveyed_record& x);
  void take_entries(group_outcome& group, const persistence::surveyed_record& x);
  void take_snapshot(group_outcome& group, const persistence::surveyed_record& x);
  void take_state(group_outcome& group, const persistence::surveyed_record& x);
  void take_node_record(const persistence::surveyed_record& x);
  void put(group_id group, const raft::persist_batch& batch);
  void commit_if_large();

  persistence::wal* into_;
  std::map<group_id, group_outcome> groups_;
  std::map<group_id, replica_uid> uids_;
  std::vector<persistence::log_problem> problems_;
  uint64_t orphans_ = 0;
  std::optional<error> failed_;
};

} // namespace caucus::wal_tool
