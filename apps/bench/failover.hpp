#pragma once

#include "apps/bench/bench_options.hpp"

namespace caucus::bench {

/// Kills the leader again and again; prints each gap and the median against the election timeout.
/// False if the median is more than 1.6 times as long.
result<bool> measure_failover(const bench_options& options);

} // namespace caucus::bench
