#pragma once

#include "apps/bench/bench_options.hpp"

namespace caucus::bench {

/// Prints one line per number of clients. False if a point isn't verified.
result<bool> measure_throughput(const bench_options& options);

} // namespace caucus::bench
