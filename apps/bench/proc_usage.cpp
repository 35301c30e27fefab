#include "apps/bench/proc_usage.hpp"

#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>

namespace caucus::bench {

namespace {

/// proc(5): fields 14 and 15 are utime and stime in clock ticks, 24 the resident pages. The name in
/// parentheses may contain anything, so counting starts behind the last ')'.
void add_stat_of(pid_t process, proc_usage& sum) {
  std::ifstream file{"/proc/" + std::to_string(process) + "/stat"};
  std::string line;
  if (!std::getline(file, line))
    return;
  std::istringstream fields{line.substr(line.rfind(')') + 1)};
  std::string skipped;
  uint64_t user = 0, system = 0, pages = 0;
  for (int field = 3; field < 14; ++field)
    fields >> skipped;
  fields >> user >> system;
  for (int field = 16; field < 24; ++field)
    fields >> skipped;
  fields >> pages;
  static const auto tick_us = 1'000'000 / static_cast<uint64_t>(::sysconf(_SC_CLK_TCK));
  static const auto page_bytes = static_cast<double>(::sysconf(_SC_PAGESIZE));
  sum.cpu_us += (user + system) * tick_us;
  sum.rss_mib += static_cast<double>(pages) * page_bytes / (1 << 20);
}

} // namespace

proc_usage read_usage(std::span<const pid_t> processes) {
  proc_usage sum;
  for (auto process : processes)
    add_stat_of(process, sum);
  return sum;
}

} // namespace caucus::bench
