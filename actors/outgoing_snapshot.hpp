#pragma once

#include "persistence/snapshot_reader.hpp"
#include "transport/bulk_message.hpp"

#include <functional>

namespace caucus {

/// One snapshot on its way to one peer: what may be sent now, and what the peer said. Owned by the
/// snapshotter. At most `window_bytes` are sent beyond what the peer has on its disk, so that no
/// queue in between grows with the snapshot.
class outgoing_snapshot {
public:
  static constexpr uint64_t window_bytes = uint64_t{8} << 20;

  /// Says whether the message was taken.
  using sender = std::function<bool(const transport::bulk_message&)>;

  outgoing_snapshot(group_id group, transfer_id transfer, persistence::snapshot_reader from);

  [[nodiscard]] transfer_id transfer() const noexcept { return transfer_; }
  [[nodiscard]] const persistence::snapshot_name& name() const noexcept { return name_; }
  [[nodiscard]] uint64_t file_bytes() const noexcept { return file_bytes_; }
  [[nodiscard]] uint64_t received() const noexcept { return received_; }

  /// Sends as much as window, `send` and `allowance` permit, and says how many bytes of the
  /// snapshot that were. Its error is that of reading it, or of a header that can't be offered.
  result<uint64_t> advance(const sender& send, uint64_t allowance);
  /// There is something to send that only time, or the peer's queue, keeps back.
  [[nodiscard]] bool has_more() const noexcept;
  /// The peer owes an answer to the offer, or to what was sent.
  [[nodiscard]] bool is_owed() const noexcept {
    return is_answered_ ? received_ < sent_ || sent_ == file_bytes_ : is_offered_;
  }

  /// Checks all of what is sent.
  result<void> verify() { return from_.verify(); }

  // What the peer says. False: it makes no sense, and the transfer is over.
  [[nodiscard]] bool on_answer(const transport::snapshot_answer& x);
  [[nodiscard]] bool on_progress(const transport::snapshot_progress& x);

private:
  result<bool> offer(const sender& send);

  group_id group_;
  transfer_id transfer_;
  persistence::snapshot_reader from_;
  persistence::snapshot_name name_;
  uint64_t file_bytes_;
  bool is_offered_ = false;
  bool is_answered_ = false;
  uint64_t sent_ = 0;     ///< Up to this offset of the file.
  uint64_t received_ = 0; ///< On the peer's disk. received_ <= sent_.
};

} // namespace caucus
