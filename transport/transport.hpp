#pragma once

#include "base/endpoint.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "membership/founding.hpp"
#include "raft/message.hpp"
#include "transport/bulk_message.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <vector>

namespace caucus::transport {

/// Who a node says it is, in the hello of each connection.
struct node_identity {
  cluster_id cluster;
  node_id node;
  directory_id directory;
  boot_count boot;
  membership::founding founding; ///< None: it is to join, and hasn't met a member yet.
};

/// One group's message on its way to or from a peer.
struct routed_message {
  group_id group;
  raft::message body;
};

/// Receives what arrives. Called from the transport's own thread: must return quickly and never
/// throw.
class transport_listener {
public:
  virtual ~transport_listener() = default;

  /// A peer's hello has been checked against cluster, node and version. Returning an error refuses
  /// the connection with that text sent to the peer (an unknown node, another directory than the
  /// one we know). A directory met for the first time is recorded durably by the listener: until
  /// `confirm_peer` is called, messages of that peer are not delivered.
  virtual result<void> on_hello(const node_identity& peer) = 0;
  /// Both sides agreed to talk.
  virtual void on_peer_up(const node_identity& peer) = 0;
  /// The connection is gone or could not be made; `reason` says which and why. Also told, at most
  /// every so often, of who was refused at our port: `peer` is whom it claimed to be (never one
  /// whose connection works), or 0 if what it said was no hello at all.
  virtual void on_peer_down(node_id peer, const error& reason) = 0;
  /// A connection ends because of bytes that are no frame, and nothing of them was delivered
  /// (RELIABILITY L-09): `peer` is who sent them, or 0 if it hadn't said its name.
  virtual void on_frame_error(node_id /*peer*/) {}
  /// Messages of one frame, in the order sent.
  virtual void on_messages(node_id from, std::vector<routed_message> messages) = 0;

  /// One message of a peer's bulk connection, in the order sent.
  virtual void on_bulk(node_id /*from*/, bulk_message /*message*/) {}
  /// `send_bulk` to this peer said no, and may say yes now.
  virtual void on_bulk_ready(node_id /*peer*/) {}
  /// The bulk connection is gone: what was under way in either direction may be lost. Or, after
  /// `send_bulk` said no, there is none to be had. The peer itself need not be down, and a
  /// connection that nobody used for a while ends like this too.
  virtual void on_bulk_down(node_id /*peer*/, const error& /*reason*/) {}
};

struct transport_limits {
  uint32_t frame_bytes_max =
    8 << 20; ///< A longer frame closes the connection before memory is taken. Same on all nodes.
  uint64_t queue_bytes_max =
    64 << 20; ///< Per peer, waiting to be written; beyond it `send` refuses.
  std::chrono::milliseconds hello_timeout{3000};
  std::chrono::milliseconds idle_timeout{
    10000}; ///< Nothing received for so long: the link is dead.
  std::chrono::milliseconds backoff_min{20};
  std::chrono::milliseconds backoff_max{1000}; ///< With jitter.
  uint64_t bulk_queue_bytes_max = 4 << 20;     ///< As `queue_bytes_max`; some chunks at least.
  std::chrono::milliseconds bulk_idle_timeout{
    30000}; ///< Nothing moved on a bulk connection for so long: it is closed.
};

/// Bytes between nodes. One connection per node pair; frames keep their order while a connection
/// lives and may be lost when it dies. Batches of heartbeats alone may overtake others, so that
/// large appends cost no election, and snapshots go over a second connection, which is made when
/// `send_bulk` asks for it and lives no longer than the first (RELIABILITY S-75). `send`,
/// `send_bulk`, `set_peers`, `confirm_peer` and `adopt` may be called from any thread, `stop` from
/// any but the transport's own.
class transport {
public:
  virtual ~transport() = default;

  /// Starts to accept and to dial the peers it knows. `listener` outlives the transport's `stop`.
  virtual result<void> start(const node_identity& self, transport_listener& listener) = 0;
  /// The whole table of peers: new ones are dialled, absent ones dropped. A changed address is for
  /// the next dial; a connection that works is kept.
  virtual void set_peers(const std::map<node_id, endpoint>& peers) = 0;
  /// The peer's directory is durably known: its messages may be delivered.
  virtual void confirm_peer(node_id peer, directory_id directory) = 0;
  /// This node belongs to a cluster from now on: its hellos say so, and links to peers that said
  /// another founding, or none, end and are made anew. Takes effect before later calls.
  virtual void adopt(const membership::founding& founding) = 0;
  /// Queues or writes one frame. False if there is no connection or its queue is full: the messages
  /// are dropped and the caller reports the peer unreachable to the groups concerned.
  virtual bool send(node_id to, std::vector<routed_message> messages) = 0;
  /// Queues or writes one message on the peer's bulk connection. False if it was not taken: there
  /// is no connection yet (one is dialled) or its queue is full. Then `on_bulk_ready` or
  /// `on_bulk_down` follows, so that a sender waits without asking again. Nothing follows `stop`.
  /// Precondition: the limits of `bulk_message.hpp` hold.
  virtual bool send_bulk(node_id to, const bulk_message& message) = 0;
  /// Closes all connections; after it returns the listener is not called any more.
  virtual void stop() = 0;
  /// The port that is listened on (for port 0).
  [[nodiscard]] virtual endpoint local_endpoint() const = 0;
};

/// Binds `listen` at once (`in_use` names the address), so that a start fails before anything is
/// written.
result<std::unique_ptr<transport>> make_tcp_transport(const endpoint& listen,
                                                      transport_limits limits = {});

} // namespace caucus::transport
