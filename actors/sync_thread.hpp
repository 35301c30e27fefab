#pragma once

#include "persistence/wal_sync.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace caucus {

/// A thread that blocks in the log's syncs, so that its writer needn't: one sync at a time.
class sync_thread {
public:
  /// `on_ended` is called on this thread each time a sync has ended; it must not throw.
  explicit sync_thread(std::function<void()> on_ended);
  /// Waits for the sync that runs.
  ~sync_thread();
  sync_thread(const sync_thread&) = delete;
  sync_thread& operator=(const sync_thread&) = delete;

  /// Precondition: what was begun before was taken.
  void begin(persistence::wal_sync sync);
  [[nodiscard]] bool has_ended();
  /// How the sync that was begun has ended, once it has.
  result<void> take();

private:
  void run();

  std::function<void()> on_ended_;
  std::mutex mutex_; ///< Guards what follows.
  std::condition_variable changed_;
  std::optional<persistence::wal_sync> begun_;
  std::optional<result<void>> ended_;
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace caucus
