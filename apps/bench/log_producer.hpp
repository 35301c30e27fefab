#pragma once

#include "actors/on_worker.hpp"
#include "actors/storage_interfaces.hpp"
#include "apps/bench/log_load.hpp"

#include <caf/event_based_actor.hpp>

#include <deque>

namespace caucus::bench {

inline constexpr size_t log_payload_bytes = 256;

/// Where a producer's batches go: into the log's writer.
using append_sink = std::function<void(wal_append)>;
using mark_sink = std::function<void(wal_mark)>;

struct producer_plan {
  group_id group;
  size_t batch_entries = 1;
  size_t batches_outstanding = 1;
  size_t entries_per_snapshot = 0; ///< Then its log forgets what is durable. 0: it never does.
};

/// Batches of one group as its replica would append them, a number of them outstanding, and now and
/// then word of a snapshot. Like a core's log it keeps entries until they are durable. Ends, having
/// its last acknowledgement, once the load stops.
class log_producer final : public on_worker<caf::event_based_actor> {
public:
  log_producer(caf::actor_config& cfg, caf::execution_unit* home, producer_plan plan,
               append_sink sink, mark_sink marks, std::shared_ptr<log_load> load);

  caf::behavior make_behavior() override;
  const char* name() const override { return "log_producer"; }

private:
  void fill();
  void produce();
  void on_persisted(persist_seq upto);

  producer_plan plan_;
  append_sink sink_;
  mark_sink marks_;
  std::shared_ptr<log_load> load_;
  shared_bytes payload_;
  uint64_t appended_ = 0; ///< Batches.
  uint64_t persisted_ = 0;
  uint64_t forgotten_ = 0; ///< Entries.
  std::deque<std::vector<raft::entry_ptr>> unpersisted_;
};

/// The next batch of a group that has had `batches` of `entries` each.
raft::persist_batch make_log_batch(uint64_t batches, size_t entries, const shared_bytes& payload);
/// A snapshot that ends with this entry is in a file, and the log before isn't needed any more.
persistence::snapshot_mark make_log_mark(index_t last);
shared_bytes make_log_payload();
/// The group with this id, of one voter.
persistence::group_descriptor make_log_group(group_id id);

} // namespace caucus::bench
