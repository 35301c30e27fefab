#pragma once

#include "actors/admission.hpp"
#include "actors/node_environment.hpp"
#include "actors/peer_counts.hpp"
#include "actors/peer_registry.hpp"
#include "actors/routing_table.hpp"
#include "actors/snapshot_transfers.hpp"
#include "actors/storage_interfaces.hpp"
#include "actors/storage_room.hpp"
#include "actors/tick_roster.hpp"

#include <atomic>

namespace caucus {

/// What the actors of one node share. Set up before any of them runs; immutable or thread-safe
/// after.
struct node_context {
  node_options options;
  std::shared_ptr<node_environment> environment;
  std::unique_ptr<event_log> events;
  std::unique_ptr<transport::transport> links;
  std::unique_ptr<peer_registry> peers;
  routing_table routes;
  tick_roster ticks;
  std::shared_ptr<budget> uncommitted; ///< Of all groups, in bytes.
  std::shared_ptr<budget> inbound;     ///< Received and not yet looked at, in bytes.
  std::atomic<uint64_t> inbound_dropped{0};
  peer_counts frame_errors; ///< Connections ended by bytes that are no frame (RELIABILITY L-09).
  std::atomic<uint64_t> log_batches{0}; ///< Written, with a sync or without.
  std::atomic<uint64_t> log_syncs{0};
  std::atomic<uint64_t> log_bytes{0}; ///< That groups appended.
  storage_room room;
  snapshot_transfers transfers;

  wal_writer_actor wal;
  log_reader_actor reader;
  snapshotter_actor snapshots;
  gc_actor collector;
  std::shared_ptr<const snapshot_store> store;
  transport_actor sender;
  pulse_actor pulse;
  node_actor supervisor;

  [[nodiscard]] logger& log() const { return *environment->log; }
};

using node_context_ptr = std::shared_ptr<node_context>;

inline std::set<node_id> ids_of(const std::map<node_id, endpoint>& members) {
  std::set<node_id> ids;
  for (auto& [id, address] : members)
    ids.insert(id);
  return ids;
}

} // namespace caucus
