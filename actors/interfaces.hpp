#pragma once

// Every message between Caucus's own actors, and every actor's interface; those of its storage are
// in storage_interfaces.hpp. All are local to the process: none of these actors is ever published.

#include "actors/caller.hpp"
#include "actors/machine_image.hpp"
#include "actors/pending_status.hpp"
#include "actors/snapshot_store.hpp"
#include "caucus/messages.hpp"
#include "persistence/wal_recovery.hpp"
#include "raft/input.hpp"
#include "raft/ready.hpp"
#include "transport/transport.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <functional>
#include <memory>
#include <vector>

namespace caucus {

// -- to a replica
// -----------------------------------------------------------------------------------

/// A tick of the node's one timer. One that doesn't count is for what waits beside the core.
struct group_tick {
  bool counts = true;
};

/// Messages of one peer, straight from the transport's thread. `credit` is given back when they are
/// done.
struct group_received {
  node_id from;
  std::vector<raft::message> messages;
  std::shared_ptr<void> credit;
};

/// All batches up to this one are durable.
struct group_persisted {
  persist_seq upto;
};
/// The machine has executed everything up to here.
struct group_applied {
  index_t upto;
};
/// Entries that the core asked for; empty if they couldn't be read.
struct group_log_read {
  raft::log_read_done done;
};
/// What was sent to the peer may be lost: its connection ended, or its queue is full.
struct group_peer_down {
  node_id peer;
};
/// The machine's state after `index`; null if it has no snapshots, an error if it has none now.
struct group_view {
  index_t index;
  int64_t wall_ns = 0; ///< Of that entry.
  result<std::shared_ptr<const machine_image>> image;
};
/// A snapshot of this group is durable, or why not.
struct group_snapshot_made {
  result<made_snapshot> made;
};
/// A peer's snapshot of this group is whole and durable here.
struct group_snapshot_received {
  persistence::kept_snapshot got;
};
/// What became of a snapshot for a peer.
struct group_snapshot_sent {
  node_id to;
  bool ok = false;
};
/// One of the group's snapshots is damaged, or the disk can't read it.
struct group_snapshot_damaged {
  raft::entry_id last;
  error reason;
};
/// The log knows durably of a snapshot.
struct group_marked {
  raft::entry_id last;
};
/// The log's oldest segment has entries of this group up to `last`: a snapshot beyond them would
/// let them go.
struct group_make_snapshot {
  index_t last;
};
/// INTERNAL: ends the current batch of inputs with one ready.
struct group_flush {};
/// The replica can't go on: it answers what waits, keeps telling its status, and does nothing else.
/// With `node_stopped` it ends.
struct group_fault {
  error reason;
};
using replica_actor = group_actor::extend<
  caf::reacts_to<group_tick>, caf::reacts_to<group_received>, caf::reacts_to<group_persisted>,
  caf::reacts_to<group_applied>, caf::reacts_to<group_log_read>, caf::reacts_to<group_peer_down>,
  caf::reacts_to<group_view>, caf::reacts_to<group_snapshot_made>,
  caf::reacts_to<group_snapshot_received>, caf::reacts_to<group_snapshot_sent>,
  caf::reacts_to<group_snapshot_damaged>, caf::reacts_to<group_marked>,
  caf::reacts_to<group_make_snapshot>, caf::reacts_to<group_flush>, caf::reacts_to<group_fault>>;

// -- to a machine
// -----------------------------------------------------------------------------------

/// A caller whose command is in the log and waits to be executed.
struct waiting_caller {
  index_t index;
  caller who;
};

/// Committed entries in log order and who waits for them, ascending by index.
struct machine_work {
  std::vector<raft::entry_ptr> entries;
  std::vector<waiting_caller> callers;
  bool must_acknowledge = false; ///< The replica wants to hear when these and all before are done.
};

/// Shared because CAF wants messages to be copyable; never used by two.
struct machine_apply {
  std::shared_ptr<machine_work> work;
};

/// The machine adds its part and answers the asker.
struct machine_status {
  std::shared_ptr<pending_status> asked; ///< Shared because CAF wants messages to be copyable.
};

/// A query whose time has come: what it must see was handed to the machine before.
struct machine_query {
  shared_bytes question;
  std::shared_ptr<caller> who; ///< Shared because CAF wants messages to be copyable.
};

/// Asks for a view of the state, once everything handed out before is applied: `group_view`.
struct machine_take_view {};

/// The state becomes that of a snapshot that ends at `index`; `open` runs on the machine's thread.
/// Acknowledged like entries.
struct machine_restore {
  index_t index;
  int64_t wall_ns = 0; ///< Of that entry.
  std::function<result<std::unique_ptr<snapshot_source>>()> open;
};

/// Comes behind everything there is to apply.
struct machine_stop {};

using machine_actor =
  caf::typed_actor<caf::reacts_to<machine_apply>, caf::reacts_to<machine_query>,
                   caf::reacts_to<machine_status>, caf::reacts_to<machine_take_view>,
                   caf::reacts_to<machine_restore>, caf::reacts_to<machine_stop>>;

// -- to the transport
// -------------------------------------------------------------------------------

/// What one ready of a group has for its peers.
struct transport_send {
  group_id group;
  std::vector<raft::envelope> messages;
};
/// Messages of many groups for one peer.
struct transport_batch {
  node_id to;
  std::vector<transport::routed_message> messages;
};
/// INTERNAL: hands each peer's batch to its connection.
struct transport_flush {};

using transport_actor =
  caf::typed_actor<caf::reacts_to<transport_send>, caf::reacts_to<transport_batch>,
                   caf::reacts_to<transport_flush>>;

// -- to the pulse
// -----------------------------------------------------------------------------------

/// A group's heartbeats, to be merged with those of all others for the same peer.
struct pulse_heartbeats {
  group_id group;
  std::vector<raft::heartbeat_out> heartbeats;
};
/// INTERNAL: the node's one timer.
struct pulse_tick {};
/// INTERNAL: sends each peer its merged heartbeats.
struct pulse_flush {};

using pulse_actor = caf::typed_actor<caf::reacts_to<pulse_heartbeats>, caf::reacts_to<pulse_tick>,
                                     caf::reacts_to<pulse_flush>>;

// -- to a peer link
// ---------------------------------------------------------------------------------

/// The connection stands: both sides agreed.
struct link_up {
  transport::node_identity peer;
};
/// There is no connection: it ended, or none could be made. Comes again with every try. `claimed`
/// is whom a stranger claimed to be, else the peer.
struct link_down {
  node_id claimed;
  error reason;
};
/// The peer, or a stranger that claims to be `claimed`, said hello and isn't let in.
struct link_refused {
  node_id claimed;
  error reason;
};

using peer_link_actor = caf::typed_actor<caf::reacts_to<link_up>, caf::reacts_to<link_down>,
                                         caf::reacts_to<link_refused>>;

// -- to the node
// ------------------------------------------------------------------------------------

/// The log can't be written any more: all groups of the node stop.
struct node_wal_failed {
  error reason;
};
/// An actor that the node can't live without was spawned: watch it.
struct node_watch {
  caf::strong_actor_ptr who;
  std::string name;
};
/// A replica was spawned: watch it. Its death ends its group on this node and nothing else.
struct node_watch_replica {
  replica_actor who;
  group_id group;
};
/// A group has these members from now on: the node has to be connected to all of them, and to
/// those whom it has again if the configuration in force is undone.
struct node_members {
  group_id group;
  membership::configuration_ptr in_force;
  membership::configuration_ptr committed;
};
/// INTERNAL: no group has needed the peer for a while; void if one has again since.
struct node_drop_peer {
  node_id peer;
  uint64_t ticket = 0;
};
/// The node is stopping on purpose: deaths from now on are expected.
struct node_stopping {};

using node_actor =
  caf::typed_actor<caf::reacts_to<node_wal_failed>, caf::reacts_to<node_watch>,
                   caf::reacts_to<node_watch_replica>, caf::reacts_to<node_members>,
                   caf::reacts_to<node_drop_peer>, caf::reacts_to<node_stopping>>;

} // namespace caucus

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::group_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::group_received)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::group_persisted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::group_applied)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::group_log_read)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::group_peer_down)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::group_view)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::group_snapshot_made)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::group_snapshot_received)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::group_snapshot_sent)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::group_snapshot_damaged)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::group_marked)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::group_make_snapshot)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::group_flush)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::group_fault)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::machine_apply)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::machine_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::machine_status)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::machine_take_view)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::machine_restore)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::machine_stop)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::transport_send)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::transport_batch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::transport_flush)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::pulse_heartbeats)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::pulse_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::pulse_flush)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::link_up)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::link_down)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::link_refused)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::node_wal_failed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::node_watch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::node_watch_replica)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::node_members)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::node_drop_peer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(caucus::node_stopping)
