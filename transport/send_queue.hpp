#pragma once

#include "transport/frame.hpp"

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

namespace caucus::transport {

/// What waits to be written to one socket. Whoever finds the socket idle writes at once, on its own
/// thread and without blocking: no hop on the way of a single message. Who finds a writer at work
/// leaves its frames to it, so that frames coalesce by themselves under load. Thread-safe.
///
/// Order: frames keep theirs, but urgent ones overtake those that are not being written yet.
class send_queue {
public:
  enum class outcome {
    done,    ///< Written, or left to the writer at work.
    blocked, ///< The caller holds the writer's role and passes it on: `resume` when writable.
    full,    ///< Nothing was taken: the limit is reached.
    closed,  ///< Nothing was taken.
    failed,  ///< The socket is broken: close it. `last_errno` says how.
  };

  /// `descriptor` is non-blocking and stays open as long as this object lives.
  send_queue(int descriptor, uint64_t bytes_max) : descriptor_{descriptor}, bytes_max_{bytes_max} {}

  /// For all that is pushed from now on.
  void set_bytes_max(uint64_t bytes);

  /// Takes all frames or none.
  outcome push(std::vector<frame> frames);
  /// Goes on writing; only by whom `blocked` passed the role to.
  outcome resume();
  /// Nothing more is taken; what waits is forgotten. A write under way may still end.
  void close();

  [[nodiscard]] uint64_t written() const noexcept {
    return written_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] bool is_full() const;
  /// False if `push` of so many bytes would say `full`; as after a `full`, `takes_again` will be
  /// true then.
  bool has_room(uint64_t bytes);
  /// Once after somebody was refused, when half of the limit is free again: asked after each write
  /// by who made it, so that somebody learns of it.
  bool takes_again();
  [[nodiscard]] bool is_empty() const;
  [[nodiscard]] int last_errno() const noexcept { return errno_.load(std::memory_order_relaxed); }

private:
  /// How often a sender starts a write for others before the I/O thread goes on.
  static constexpr int sender_rounds = 4;
  static constexpr int resume_rounds = 16;
  static constexpr size_t batch_frames_max = 64;
  static constexpr size_t batch_bytes_max = size_t{256} * 1024;

  /// Fills `batch_` from the queues; false if they are empty. Holding `mutex_`.
  bool take_batch();
  /// Writes `batch_`, then what came meanwhile; only with the writer's role.
  outcome write(int rounds);
  /// True when all of `batch_` is written; else `why`.
  bool write_batch(outcome& why);
  void advance(size_t written);

  const int descriptor_;

  mutable std::mutex mutex_;
  uint64_t bytes_max_;
  std::deque<frame> urgent_;
  std::deque<frame> bulk_;
  uint64_t waiting_bytes_ = 0; ///< In the queues and in `batch_`.
  bool has_writer_ = false;
  bool is_closed_ = false;
  bool is_room_awaited_ = false; ///< Somebody was refused; then there is a writer.

  // Touched only by who has the writer's role.
  std::vector<frame> batch_;
  size_t at_ = 0;     ///< First frame of `batch_` not wholly written.
  size_t offset_ = 0; ///< Bytes of it that are.
  size_t batch_bytes_ = 0;

  std::atomic<uint64_t> written_{0};
  std::atomic<int> errno_{0};
};

} // namespace caucus::transport
