#pragma once

#include "persistence/log_visitor.hpp"

#include <map>
#include <vector>

namespace caucus::wal_tool {

/// Counts, while a survey walks, which entries later ones have not replaced, and where they lie.
class live_bytes final : public persistence::log_visitor {
public:
  struct segment_count {
    persistence::surveyed_segment segment;
    uint64_t used_bytes = 0; ///< Up to the end of its last batch.
    uint64_t batches = 0;
    uint64_t records = 0;
    uint64_t live_bytes = 0;
    uint64_t problems = 0;
  };
  struct group_count {
    index_t first; ///< 0: no entry.
    uint64_t live_bytes = 0;
    uint64_t records = 0;
  };

  void on_segment(const persistence::surveyed_segment& x) override;
  void on_batch(persistence::log_position at, const persistence::batch_header& x) override;
  void on_record(const persistence::surveyed_record& x) override;
  void on_problem(const persistence::log_problem& x) override;
  void on_segment_end(const persistence::surveyed_segment& x, uint64_t bytes) override;

  [[nodiscard]] const std::vector<persistence::log_problem>& problems() const { return problems_; }
  /// Ascending, with the live bytes of all groups. Once the survey is over.
  [[nodiscard]] std::vector<segment_count> segments() const;
  [[nodiscard]] group_count group(group_id id) const;

private:
  struct live_entry {
    uint32_t bytes;
    uint32_t segment; ///< 0: not seen, its segment is gone.
  };
  struct group_log {
    index_t first{1};
    std::vector<live_entry> entries; ///< From `first` on.
    uint64_t records = 0;
  };

  static void add_entries(group_log& log, const persistence::surveyed_record& x);
  static void take_checkpoint(group_log& log, const persistence::surveyed_record& x);
  static void cut(group_log& log, index_t begins_after);
  static void take_snapshot(group_log& log, const persistence::surveyed_record& x);
  static void truncate(group_log& log, index_t from);

  std::map<uint64_t, segment_count> segments_;
  std::map<group_id, group_log> groups_;
  std::vector<persistence::log_problem> problems_;
};

} // namespace caucus::wal_tool
