#include "apps/bench/restart.hpp"

#include "apps/bench/cluster.hpp"
#include "apps/bench/proc_usage.hpp"
#include "apps/bench/run_directory.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

namespace caucus::bench {

namespace {

using clock = child_process::clock;
constexpr auto fill_limit = std::chrono::minutes(30);
constexpr auto apply_limit = std::chrono::minutes(10);
/// How long the killed node is away: its groups have got other leaders meanwhile.
constexpr auto away = std::chrono::seconds(3);
constexpr double seconds_max = 3;
constexpr uint64_t killed = 1;
/// What the log takes for a command besides its bytes, about.
constexpr uint64_t log_bytes_per_command = 96;

struct timed_restart {
  double ready_s = 0;   ///< All groups opened.
  double applied_s = 0; ///< And everything applied.
  double cpu_s = 0;     ///< Of the restarted process until then.
};

double seconds_since(clock::time_point begin) {
  return std::chrono::duration<double>(clock::now() - begin).count();
}

result<void> wait_until_applied(cluster& nodes, uint64_t commands) {
  for (uint64_t node = 1; node <= nodes.size(); ++node)
    if (auto done =
          nodes.demand(node, "applied " + std::to_string(commands), "applied", apply_limit);
        !done)
      return done.reason();
  return {};
}

result<timed_restart> restart(cluster& nodes, uint64_t commands) {
  nodes.at(killed).kill();
  std::this_thread::sleep_for(away);
  timed_restart took;
  const auto begin = clock::now();
  if (auto started = nodes.start(); !started)
    return started.reason();
  took.ready_s = seconds_since(begin);
  if (auto done =
        nodes.demand(killed, "applied " + std::to_string(commands), "applied", apply_limit);
      !done)
    return done.reason();
  took.applied_s = seconds_since(begin);
  const pid_t pid = nodes.at(killed).pid();
  took.cpu_s = static_cast<double>(read_usage({&pid, 1}).cpu_us) / 1e6;
  return took;
}

uint64_t log_bytes(const std::string& path) {
  uint64_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator{path})
    if (file.path().extension() == ".log")
      bytes += file.file_size();
  return bytes;
}

void tell(const bench_options& options, uint64_t commands, uint64_t bytes,
          const std::vector<timed_restart>& all, const timed_restart& median) {
  if (options.json) {
    nlohmann::ordered_json point{{"groups", options.groups},
                                 {"commands_per_group", commands},
                                 {"payload_bytes", options.payload_bytes},
                                 {"log_file_bytes", bytes},
                                 {"ready_s", median.ready_s},
                                 {"applied_s", median.applied_s},
                                 {"cpu_s", median.cpu_s},
                                 {"applied_s_max", seconds_max}};
    std::cout << point.dump() << std::endl;
    return;
  }
  for (const auto& x : all)
    std::printf("restarted: groups open after %.2f s, all applied after %.2f s (CPU %.2f s)\n",
                x.ready_s, x.applied_s, x.cpu_s);
  std::printf("%llu groups, %llu commands of %llu bytes each, %.2f GB of log files: median %.2f s "
              "(at most %.0f wanted)\n",
              static_cast<unsigned long long>(options.groups),
              static_cast<unsigned long long>(commands),
              static_cast<unsigned long long>(options.payload_bytes),
              static_cast<double>(bytes) / 1e9, median.applied_s, seconds_max);
}

result<bool> measure_in(const bench_options& options, const run_directory& directory) {
  auto nodes = cluster::prepare(options, directory.path());
  if (!nodes)
    return nodes.reason();
  if (auto started = nodes->start(); !started)
    return started.reason();
  const auto per_command = options.payload_bytes + log_bytes_per_command;
  const auto commands = std::max<uint64_t>(options.bytes / options.groups / per_command, 1);
  std::cerr << "event=filling groups=" << options.groups << " commands_each=" << commands
            << std::endl;
  if (auto filled = nodes->demand(
        killed, "fill " + std::to_string(commands) + ' ' + std::to_string(options.payload_bytes),
        "filled", fill_limit);
      !filled)
    return filled.reason();
  if (auto done = wait_until_applied(*nodes, commands); !done)
    return done.reason();
  std::vector<timed_restart> all;
  for (uint64_t round = 0; round < options.rounds; ++round) {
    auto took = restart(*nodes, commands);
    if (!took)
      return took.reason();
    all.push_back(*took);
  }
  auto in_order = all;
  std::sort(in_order.begin(), in_order.end(),
            [](const auto& a, const auto& b) { return a.applied_s < b.applied_s; });
  const auto& median = in_order[in_order.size() / 2];
  tell(options, commands, log_bytes(nodes->directory_of(killed)), all, median);
  return median.applied_s <= seconds_max;
}

} // namespace

result<bool> measure_restart(const bench_options& options) {
  if (options.nodes < 3)
    return error{errc::invalid_option, "--nodes: a member that restarts needs two peers"};
  auto directory = run_directory::make(options.data, options.keep);
  if (!directory)
    return directory.reason();
  auto measured = measure_in(options, *directory);
  if (measured)
    return measured;
  directory->keep();
  return error{measured.reason().code,
               measured.reason().what + " (kept: " + directory->path() + ")"};
}

} // namespace caucus::bench
