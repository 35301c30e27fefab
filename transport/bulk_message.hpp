#pragma once

#include "base/errc.hpp"
#include "base/ids.hpp"
#include "base/shared_bytes.hpp"

#include <string>
#include <variant>

namespace caucus::transport {

/// Limits of what one message brings. The same on all nodes.
inline constexpr size_t snapshot_chunk_bytes_max = size_t{256} * 1024;
inline constexpr size_t snapshot_boundary_bytes_max = size_t{64} * 1024;

/// The sender has a snapshot for the receiver, and asks where to start.
struct snapshot_offer {
  uint64_t total_bytes = 0;
  shared_bytes boundary; ///< Whoever makes snapshots knows what it means; for us it is bytes.
};

/// What the receiver says to an offer.
struct snapshot_answer {
  errc refused = errc::none; ///< None: go on.
  std::string reason;        ///< A sentence for people if refused; longer ones are cut.
  uint64_t resume_at = 0;    ///< What the receiver has already of the same snapshot.
};

/// A stretch of the snapshot; never empty.
struct snapshot_chunk {
  uint64_t offset = 0;
  shared_bytes bytes; ///< At most `snapshot_chunk_bytes_max`.
};

/// All before `received_upto` is on the receiver's disk: the sender may send so much more.
struct snapshot_progress {
  uint64_t received_upto = 0;
};

/// How the transfer ended, from whichever side knows.
struct snapshot_done {
  errc failed = errc::none; ///< None: the snapshot is whole and durable at the receiver.
  std::string reason;       ///< A sentence for people if failed; longer ones are cut.
};

using bulk_body =
  std::variant<snapshot_offer, snapshot_answer, snapshot_chunk, snapshot_progress, snapshot_done>;

/// One message on the connection for bulk. `transfer` tells what belongs to one offer from what is
/// left of older ones (RELIABILITY N-03).
struct bulk_message {
  group_id group;
  transfer_id transfer;
  bulk_body body;
};

} // namespace caucus::transport
