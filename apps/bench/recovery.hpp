#pragma once

#include "apps/bench/bench_options.hpp"

namespace caucus::bench {

/// Writes a log and opens it from the page cache, in turns with only reading and summing its bytes.
/// False if that takes more than a second a gigabyte.
result<bool> measure_recovery(const bench_options& options);

} // namespace caucus::bench
