#pragma once

#include "persistence/snapshot_header.hpp"
#include "persistence/snapshot_offer.hpp"
#include "persistence/unfinished_snapshot.hpp"

namespace caucus::persistence {

/// Makes a snapshot's file from what a machine says piece by piece. One thread, beside the log's
/// writer. Until `finish` returns well there is no snapshot: a crash, a failure or the end of this
/// object leave at most a temporary, and the older snapshots (RELIABILITY N-01, E-06). Holds one
/// chunk in memory. The directory must outlive it.
class snapshot_writer {
public:
  static result<snapshot_writer> create(directory& dir, const snapshot_header& header);

  /// The content goes on with `content`: any size, also none.
  result<void> write(std::span<const std::byte> content);
  /// Writes the trailer, syncs and publishes. Precondition: once.
  result<snapshot_offer> finish();

private:
  snapshot_writer(const snapshot_header& header, std::vector<std::byte> encoded,
                  unfinished_snapshot target);

  result<void> write_chunk();

  snapshot_identity identity_;
  std::vector<std::byte> encoded_; ///< The header.
  unfinished_snapshot target_;
  std::vector<std::byte> chunk_; ///< With its header; `filled_` bytes of it are in use.
  size_t filled_;
  uint64_t chunks_ = 0; ///< Written.
  uint64_t content_bytes_ = 0;
  uint32_t content_checksum_ = 0;
};

} // namespace caucus::persistence
