#pragma once

#include "raft/entry.hpp"

#include <algorithm>
#include <cstdint>

namespace caucus {

/// When one replica's log has grown enough for another snapshot of its machine. A snapshot costs a
/// write of the whole state, so a large state waits for a larger log.
class snapshot_schedule {
public:
  struct limits {
    uint64_t log_bytes = 0;  ///< At least that much log, and four times the last snapshot.
    uint64_t entries = 0;    ///< Or that many entries; 0: however many.
    int64_t interval_ns = 0; ///< Not sooner after the last one.
  };

  explicit snapshot_schedule(limits x) noexcept : limits_{x} {}

  void count(const raft::entry& appended) noexcept {
    bytes_ += appended.cost();
    ++entries_;
  }

  /// One is due, or will be with time alone.
  [[nodiscard]] bool is_wanted() const noexcept {
    const auto bytes = std::max(limits_.log_bytes, 4 * snapshot_bytes_);
    return is_on_ && (bytes_ >= bytes || (limits_.entries != 0 && entries_ >= limits_.entries));
  }
  [[nodiscard]] bool is_due(int64_t now_ns) const noexcept {
    return is_wanted() && now_ns >= not_before_ns_;
  }

  /// One is being made of the state as it is now.
  void begin(int64_t now_ns) noexcept {
    not_before_ns_ = now_ns + limits_.interval_ns;
    counted_bytes_ = bytes_;
    counted_entries_ = entries_;
  }
  /// The one that was begun last is there; if it isn't, the log still counts as long.
  void finish(uint64_t snapshot_bytes) noexcept {
    snapshot_bytes_ = snapshot_bytes;
    bytes_ -= counted_bytes_;
    entries_ -= counted_entries_;
    counted_bytes_ = counted_entries_ = 0;
  }
  /// The log begins anew after an installed one.
  void restart() noexcept { bytes_ = entries_ = counted_bytes_ = counted_entries_ = 0; }
  /// The machine has no snapshots.
  void turn_off() noexcept { is_on_ = false; }

private:
  limits limits_;
  uint64_t bytes_ = 0; ///< Of the log since the last snapshot, about.
  uint64_t entries_ = 0;
  uint64_t counted_bytes_ = 0; ///< Of these, before the snapshot that is being made.
  uint64_t counted_entries_ = 0;
  uint64_t snapshot_bytes_ = 0; ///< Of the last one.
  int64_t not_before_ns_ = INT64_MIN;
  bool is_on_ = true;
};

} // namespace caucus
