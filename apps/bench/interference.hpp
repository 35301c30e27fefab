#pragma once

#include "apps/bench/bench_options.hpp"

namespace caucus::bench {

/// A command's p99 while the log's garbage collector frees `--bytes`, by its p99 without, on one
/// cluster and in turns. False if that is more than 1.3.
result<bool> measure_collection(const bench_options& options);

/// The same while a snapshot of `--bytes` is made and sent to a follower: false if it is more than
/// 3, or if the bytes come at less than 100 MB/s.
result<bool> measure_snapshot(const bench_options& options);

} // namespace caucus::bench
