#include "apps/bench/throughput.hpp"

#include "apps/bench/cluster.hpp"
#include "apps/bench/run_directory.hpp"

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <sstream>

namespace caucus::bench {

namespace {

struct point {
  uint64_t clients = 0;
  double ops_per_s = 0;
  double p50_us = 0;
  double p99_us = 0;
  double p999_us = 0;
  double cpu_us_per_op = 0;
  double ops_per_sync = 0;
  double rss_mib = 0;
  uint64_t errors = 0;
  uint64_t acknowledged = 0; ///< Warm-up included: all of it must be found.
  bool verified = false;
};

result<point> run_load(cluster& nodes, const bench_options& options, uint64_t clients) {
  auto leader = nodes.wait_for_leader();
  if (!leader)
    return leader.reason();
  std::ostringstream order;
  order << "load " << clients << ' ' << options.payload_bytes << ' ' << options.seconds;
  for (auto pid : nodes.pids())
    order << ' ' << pid;
  auto& child = nodes.at(*leader);
  child.say(order.str());
  auto deadline = child_process::clock::now() + std::chrono::seconds(options.seconds + 60);
  auto line = child.hear(deadline);
  point measured{.clients = clients};
  std::istringstream words{line.value_or("no answer")};
  std::string verb;
  words >> verb >> measured.ops_per_s >> measured.p50_us >> measured.p99_us >> measured.p999_us
    >> measured.cpu_us_per_op >> measured.ops_per_sync >> measured.rss_mib >> measured.errors
    >> measured.acknowledged;
  if (!words || verb != "loaded")
    return error{errc::unreachable, "the leader, node " + std::to_string(*leader)
                                      + ", did not finish the load: " + words.str()};
  return measured;
}

/// One cluster from birth through SIGKILL of all to the count of what survived.
result<point> measure_point(const bench_options& options, const std::string& path,
                            uint64_t clients) {
  std::error_code failed;
  std::filesystem::create_directory(path, failed);
  if (failed)
    return error{errc::io_failed, path + ": " + failed.message()};
  auto nodes = cluster::prepare(options, path);
  if (!nodes)
    return nodes.reason();
  if (auto started = nodes->start(); !started)
    return started.reason();
  auto measured = run_load(*nodes, options, clients);
  if (!measured)
    return measured;
  nodes->kill_all();
  if (auto restarted = nodes->start(); !restarted)
    return restarted.reason();
  if (auto leader = nodes->wait_for_leader(); !leader)
    return leader.reason();
  auto found = nodes->wait_until_applied(measured->acknowledged);
  measured->verified = found.ok();
  if (!found)
    std::cerr << "caucus-bench: " << clients << " clients: " << found.reason().what << '\n';
  return measured;
}

void print(const point& x, bool as_json) {
  const char* format =
    as_json ? "{\"clients\":%llu,\"ops_per_s\":%.0f,\"p50_us\":%.1f,\"p99_us\":%.1f,"
              "\"p999_us\":%.1f,\"cpu_us_per_op\":%.2f,\"ops_per_sync\":%.2f,\"rss_mib\":%.1f,"
              "\"errors\":%llu,\"verified\":%s}\n"
            : "%8llu %10.0f %9.1f %9.1f %10.1f %10.2f %9.2f %8.1f %7llu  %s\n";
  std::printf(format, static_cast<unsigned long long>(x.clients), x.ops_per_s, x.p50_us, x.p99_us,
              x.p999_us, x.cpu_us_per_op, x.ops_per_sync, x.rss_mib,
              static_cast<unsigned long long>(x.errors),
              as_json      ? x.verified ? "true" : "false"
              : x.verified ? "yes"
                           : "NO");
  std::fflush(stdout);
}

void print_header(const bench_options& options, const run_directory& directory) {
  std::ostringstream text;
  text << "caucus-bench: " << options.nodes << " nodes on 127.0.0.1, " << directory.file_system()
       << " (" << options.data << "), " << options.payload_bytes << "-byte commands, "
       << options.seconds << " s a point,";
  for (auto& [name, value] : options.node)
    text << ' ' << name << '=' << value;
  text << (options.node.empty() ? " default options" : "");
  if (options.json) {
    std::cerr << text.str() << '\n'; // Stdout has objects only.
    return;
  }
  std::cout << text.str() << '\n'
            << " clients      ops/s    p50 us    p99 us   p99.9 us  cpu us/op  ops/sync  RSS MiB "
               " errors  verified"
            << std::endl;
}

} // namespace

result<bool> measure_throughput(const bench_options& options) {
  auto directory = run_directory::make(options.data, options.keep);
  if (!directory)
    return directory.reason();
  print_header(options, *directory);
  bool all_verified = true;
  for (size_t i = 0; i < options.clients.size(); ++i) {
    auto path = directory->path() + "/point-" + std::to_string(i + 1);
    auto measured = measure_point(options, path, options.clients[i]);
    if (!measured) {
      directory->keep();
      return error{measured.reason().code,
                   measured.reason().what + " (kept: " + directory->path() + ")"};
    }
    print(*measured, options.json);
    all_verified = all_verified && measured->verified;
    std::error_code ignored; // The run's directory goes as a whole at the end.
    if (!options.keep && measured->verified)
      std::filesystem::remove_all(path, ignored);
  }
  if (!all_verified)
    directory->keep();
  return all_verified;
}

} // namespace caucus::bench
