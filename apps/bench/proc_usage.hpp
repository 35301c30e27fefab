#pragma once

#include <cstdint>
#include <span>
#include <sys/types.h>

namespace caucus::bench {

/// What /proc tells about processes, summed. A process that is gone counts as nothing.
struct proc_usage {
  uint64_t cpu_us = 0; ///< User and system, of all threads.
  double rss_mib = 0;
};

proc_usage read_usage(std::span<const pid_t> processes);

} // namespace caucus::bench
