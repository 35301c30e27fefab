// caucus-bench: throughput, latency, cost and failover time of a cluster on this machine, and
// what its log does beside what the disk can do.

#include "apps/bench/failover.hpp"
#include "apps/bench/interference.hpp"
#include "apps/bench/node_main.hpp"
#include "apps/bench/recovery.hpp"
#include "apps/bench/restart.hpp"
#include "apps/bench/throughput.hpp"
#include "apps/bench/wal_speed.hpp"

#include <csignal>
#include <iostream>

int main(int argc, char** argv) {
  using namespace caucus::bench;
  auto options = parse_command_line(argc, argv);
  if (!options) {
    std::cerr << "caucus-bench: " << options.reason().what << '\n';
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN); // A node that died is noticed by its answers.
  caucus::result<bool> passed = true;
  switch (options->mode) {
    case bench_mode::help: std::cout << help_text(); return 0;
    case bench_mode::node: return node_main(*options);
    case bench_mode::failover: passed = measure_failover(*options); break;
    case bench_mode::wal: passed = measure_wal(*options); break;
    case bench_mode::recovery: passed = measure_recovery(*options); break;
    case bench_mode::restart: passed = measure_restart(*options); break;
    case bench_mode::collection: passed = measure_collection(*options); break;
    case bench_mode::snapshot: passed = measure_snapshot(*options); break;
    case bench_mode::throughput: passed = measure_throughput(*options); break;
  }
  if (!passed) {
    std::cerr << "caucus-bench: " << passed.reason().what << '\n';
    return 2;
  }
  return *passed ? 0 : 1;
}
