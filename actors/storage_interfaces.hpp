#pragma once

#include "actors/interfaces.hpp"
#include "persistence/carried.hpp"
#include "persistence/file.hpp"
#include "persistence/log_usage.hpp"

namespace caucus {

// What the actors of a node's storage are told: the collector, the log's writer and reader, the
// snapshotter.

// -- to the GC
// ------------------------------------------------------------------------------

/// How much of the log is needed.
struct gc_usage {
  persistence::log_usage usage;
  /// Who has entries in the oldest segment, the largest first; only while the disk is full.
  std::vector<persistence::log_usage::holder> holders;
};
/// A step of collecting is written.
struct gc_carried {
  uint64_t bytes = 0;   ///< That it wrote again.
  uint64_t removed = 0; ///< The segment that has gone, durably; 0: none.
  /// Its blocks, if they are still to be given back. Shared because CAF wants messages to be
  /// copyable.
  std::shared_ptr<persistence::file> file;
  /// Who has entries in the oldest segment, the largest first; only before the first step there.
  std::vector<persistence::log_usage::holder> holders;
};
/// INTERNAL: time to look at the log's size, or for the next step.
struct gc_look {};

using gc_actor =
  caf::typed_actor<caf::reacts_to<gc_look>, caf::reacts_to<gc_usage>, caf::reacts_to<gc_carried>>;

// -- to the WAL writer
// ------------------------------------------------------------------------------

/// One replica's batch; answered with group_persisted after the sync that covers it.
struct wal_append {
  group_id group;
  raft::persist_batch batch;
  replica_actor replica;
};
/// A group's birth. Written before whatever the same sender appends later.
struct wal_describe {
  persistence::group_descriptor group;
};
/// A snapshot of a group is durable, a small one once this is; answered with group_marked. Written
/// before whatever the same sender appends later.
struct wal_mark {
  group_id group;
  persistence::snapshot_mark mark;
  replica_actor replica;
};
/// A peer's directory, met for the first time, and the founding of its cluster unless that is known
/// or none; `done` runs on the writer once both are durable.
struct wal_pin_peer {
  persistence::peer_identity peer;
  membership::founding founding;
  std::function<void()> done;
};
/// Answered with gc_usage.
struct wal_usage {
  gc_actor asker;
};
/// One step of collecting the oldest segment: writes again what was read there, or, if that is
/// nothing, what else it has, about `bytes_max` of it, or lets it go. Answered with gc_carried once
/// that is written, and durable if it was nothing that was read: then nothing is left to be.
struct wal_collect {
  std::optional<persistence::carried> content;
  size_t bytes_max = 0;
  gc_actor asker;
};
/// INTERNAL: writes and syncs what has been staged.
struct wal_flush {};
/// INTERNAL: time to see whether the disk has room again.
struct wal_reserve {};
/// Writes and syncs what is staged, then ends the writer.
struct wal_close {};

using wal_writer_actor = caf::typed_actor<
  caf::reacts_to<wal_append>, caf::reacts_to<wal_describe>, caf::reacts_to<wal_mark>,
  caf::reacts_to<wal_pin_peer>, caf::reacts_to<wal_usage>, caf::reacts_to<wal_collect>,
  caf::reacts_to<wal_flush>, caf::reacts_to<wal_reserve>, caf::reacts_to<wal_close>>;

// -- to the log reader
// ------------------------------------------------------------------------------

/// Entries that left a replica's memory; answered with group_log_read.
struct log_read_request {
  group_id group;
  raft::log_read read;
  replica_actor replica;
};

using log_reader_actor = caf::typed_actor<caf::reacts_to<log_read_request>>;

// -- to the snapshotter
// ------------------------------------------------------------------------------

/// Makes a snapshot; answered with group_snapshot_made.
struct snapshot_make {
  snapshot_plan plan;
  replica_actor replica;
};
/// Sends one to a peer, unless one is on its way there; answered with group_snapshot_sent.
struct snapshot_send {
  snapshot_group group;
  node_id to;
  persistence::kept_snapshot what;
  replica_actor replica;
};
/// Reads a part of a snapshot's file for a client; `known` if the group still has it.
struct snapshot_read {
  snapshot_group group;
  read_snapshot what;
  std::optional<persistence::kept_snapshot> known;
  std::shared_ptr<caller> who; ///< Shared because CAF wants messages to be copyable.
};
/// The group's snapshot that ends here isn't needed any more: its file goes.
struct snapshot_forget {
  group_id group;
  raft::entry_id last;
};
/// One message of a peer. `credit` is given back when it is done.
struct snapshot_bulk {
  node_id from;
  transport::bulk_message message;
  std::shared_ptr<void> credit;
};
/// The peer's bulk connection has room again.
struct snapshot_peer_ready {
  node_id peer;
};
/// The peer's bulk connection is gone.
struct snapshot_peer_down {
  node_id peer;
  error reason;
};
/// INTERNAL: the rate limit allows more.
struct snapshot_go_on {};
/// INTERNAL: time to close what no client reads any more.
struct snapshot_close_unread {};

using snapshotter_actor =
  caf::typed_actor<caf::reacts_to<snapshot_make>, caf::reacts_to<snapshot_send>,
                   caf::reacts_to<snapshot_read>, caf::reacts_to<snapshot_forget>,
                   caf::reacts_to<snapshot_bulk>, caf::reacts_to<snapshot_peer_ready>,
                   caf::reacts_to<snapshot_peer_down>, caf::reacts_to<snapshot_go_on>,
                   caf::reacts_to<snapshot_close_unread>>;

} // namespace caucus

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::wal_append)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::wal_describe)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::wal_mark)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::wal_pin_peer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::gc_usage)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::gc_carried)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::gc_look)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::wal_usage)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::wal_collect)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::wal_flush)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::wal_reserve)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::wal_close)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::log_read_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::snapshot_make)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::snapshot_send)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::snapshot_read)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::snapshot_forget)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::snapshot_bulk)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::snapshot_peer_ready)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::snapshot_peer_down)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::snapshot_go_on)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::snapshot_close_unread)
