#pragma once

#include "actors/collection_pace.hpp"
#include "actors/node_context.hpp"
#include "actors/on_worker.hpp"
#include "persistence/segment_collector.hpp"

namespace caucus {

/// Keeps the node's log short: while its files take more than twice what is needed, the oldest
/// segment goes, and what is still needed of it is read here and handed to the writer. Small steps
/// under a rate limit, one at a time. Runs on a thread of its own because it blocks in reads, and
/// where it gives blocks back.
class gc final : public on_worker<gc_actor::base> {
public:
  gc(caf::actor_config& cfg, caf::execution_unit* home,
     std::shared_ptr<persistence::log_reader> reader, node_context_ptr node);

  gc_actor::behavior_type make_behavior() override;
  const char* name() const override { return "gc"; }

private:
  /// Does the next thing, unless it is too early.
  void look();
  void on_usage(const gc_usage& x);
  [[nodiscard]] bool is_worth_it(const persistence::log_usage& x) const;
  void on_carried(const gc_carried& x);
  /// Reads the next piece of the oldest segment and has it written.
  void step(uint64_t oldest);
  void ask_for_snapshots(const std::vector<persistence::log_usage::holder>& holders);
  void go_on(std::chrono::nanoseconds pause);
  /// The blocks of the segment that was removed, a piece at a time.
  void give_back();

  persistence::segment_collector collector_;
  node_context_ptr node_;
  collection_pace pace_;
  std::shared_ptr<persistence::file> removed_; ///< It still has blocks.
  uint64_t removed_bytes_ = 0;                 ///< Of them.
  uint64_t full_looks_ = 0; ///< So often in a row a full disk had nothing to collect.
};

} // namespace caucus
