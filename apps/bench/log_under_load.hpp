#pragma once

#include "base/result.hpp"

#include <chrono>
#include <string>

namespace caucus::bench {

/// Who writes the log that is measured.
enum class log_writer : uint8_t {
  one_thread, ///< The caller itself stages and commits: what the log costs without any hand-over.
  actor,      ///< The node's own writer.
  queue,      ///< A plain thread with a queue.
};

struct log_load_plan {
  log_writer writer = log_writer::actor;
  size_t producers = 1;
  size_t batch_entries = 1;
  size_t batches_outstanding = 1; ///< Of each producer.
  std::chrono::nanoseconds duration;
};

struct log_load_result {
  double entries_per_s = 0;
  double entries_per_sync = 0; ///< 0: not counted.
};

/// What the log writes of a batch, in bytes.
size_t log_batch_bytes(size_t entries);

/// Appends to a log in `directory`, which is made and removed. It is in the state that a log comes
/// to in use: later segments are written over those that were given up. The group of a single
/// producer forgets what its snapshots have, and a collector gives segments up meanwhile; many
/// groups forget nothing.
result<log_load_result> measure_log(const std::string& directory, const log_load_plan& plan);

} // namespace caucus::bench
