#pragma once

#include "actors/snapshot_transfers.hpp"
#include "persistence/kept_snapshot.hpp"
#include "persistence/scratch_directory.hpp"
#include "persistence/snapshot_receiver.hpp"
#include "transport/bulk_message.hpp"

namespace caucus {

/// One snapshot that a peer is sending, as far as it has come. A small one is received in memory.
/// Outlives its transfer: the same snapshot goes on where a broken connection left it. Owned by the
/// snapshotter.
class incoming_snapshot {
public:
  /// Its error is told to the sender.
  static result<std::unique_ptr<incoming_snapshot>>
  create(persistence::directory& dir, const persistence::snapshot_offer& offer);

  /// From whom the bytes come now.
  struct source {
    node_id from;
    transfer_id transfer;

    friend bool operator==(const source&, const source&) = default;
  };

  [[nodiscard]] bool is_of(const persistence::snapshot_offer& offer) const {
    return receiver_->is_of(offer);
  }
  [[nodiscard]] index_t index() const noexcept { return offer_.identity.name.last.index; }
  [[nodiscard]] uint64_t file_bytes() const noexcept { return offer_.file_bytes; }
  [[nodiscard]] uint64_t received() const noexcept { return receiver_->resume_at(); }
  [[nodiscard]] bool is_complete() const noexcept { return receiver_->is_complete(); }

  result<void> take(const transport::snapshot_chunk& x) {
    return receiver_->take(x.offset, x.bytes.span());
  }
  /// Durable, whole and sound: a small one with its bytes. Precondition: complete; once.
  result<persistence::kept_snapshot> finish();

  source now;                                          ///< Whoever offered it last.
  std::shared_ptr<snapshot_transfers::transfer> shown; ///< While it's on its way.

private:
  explicit incoming_snapshot(const persistence::snapshot_offer& offer) : offer_{offer} {}

  persistence::snapshot_offer offer_;
  persistence::scratch_directory memory_;
  persistence::directory* directory_ = nullptr; ///< Where it is received.
  bool is_small_ = false;
  std::optional<persistence::snapshot_receiver> receiver_;
};

} // namespace caucus
