#pragma once

#include "apps/bench/bench_options.hpp"

namespace caucus::bench {

/// The log's writer beside what the disk can do: batches of one producer, and 1,000 producers.
/// False if a target is missed.
result<bool> measure_wal(const bench_options& options);

} // namespace caucus::bench
