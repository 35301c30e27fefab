#pragma once

#include "apps/bench/bench_options.hpp"

namespace caucus::bench {

/// Fills the log of many groups on real nodes, kills one with SIGKILL and takes the time from its
/// restart until every group there has applied what was committed before. False if that is more
/// than three seconds.
result<bool> measure_restart(const bench_options& options);

} // namespace caucus::bench
