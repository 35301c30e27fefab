#pragma once

#include "actors/storage_interfaces.hpp"
#include "apps/bench/log_load.hpp"
#include "persistence/wal.hpp"

#include <condition_variable>
#include <thread>

namespace caucus::bench {

/// What the log's writer would be without actors: a thread with a queue, for comparison. All that
/// has queued up becomes one batch.
class queue_writer {
public:
  queue_writer(persistence::wal& log, std::shared_ptr<log_load> load);
  queue_writer(const queue_writer&) = delete;
  queue_writer& operator=(const queue_writer&) = delete;
  /// Writes what is queued first.
  ~queue_writer();

  /// Any thread.
  void push(wal_append x);

private:
  void run();
  /// What comes next, once nobody waits.
  result<void> prepare();

  persistence::wal& log_;
  std::shared_ptr<log_load> load_;
  std::mutex mutex_; ///< Guards what follows.
  std::condition_variable has_work_;
  std::vector<wal_append> queue_;
  bool is_stopping_ = false;
  std::thread thread_;
};

} // namespace caucus::bench
