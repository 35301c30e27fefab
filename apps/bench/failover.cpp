#include "apps/bench/failover.hpp"

#include "apps/bench/cluster.hpp"
#include "apps/bench/run_directory.hpp"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <thread>

namespace caucus::bench {

namespace {

constexpr auto try_interval = std::chrono::milliseconds(10);
constexpr auto round_limit = std::chrono::seconds(60);
constexpr double ratio_max = 1.6;

using clock = child_process::clock;

/// A client that tries every 10 ms, at each node in turn, until one of its writes is acknowledged.
class persistent_writer {
public:
  explicit persistent_writer(cluster& nodes) : nodes_{nodes} {}

  /// Time from `since` to the acknowledgement; nodes that don't run are left out.
  std::optional<double> first_write_ms(clock::time_point since) {
    auto first = ++number_;
    auto next_try = clock::now();
    while (clock::now() < since + round_limit) {
      if (clock::now() >= next_try) {
        attempt();
        next_try += try_interval;
      }
      for (uint64_t node = 1; node <= nodes_.size(); ++node)
        if (nodes_.at(node).is_running() && heard_ok(node, first))
          return std::chrono::duration<double, std::milli>(clock::now() - since).count();
    }
    return std::nullopt;
  }

private:
  void attempt() {
    do
      last_asked_ = last_asked_ % nodes_.size() + 1;
    while (!nodes_.at(last_asked_).is_running());
    nodes_.at(last_asked_).say("put " + std::to_string(++number_));
  }

  /// Acknowledgements of earlier rounds don't count.
  bool heard_ok(uint64_t node, uint64_t first) {
    auto line = nodes_.at(node).hear(clock::now() + std::chrono::milliseconds(1));
    unsigned long long number = 0;
    char verdict[32] = {};
    return line && std::sscanf(line->c_str(), "put %llu %31s", &number, verdict) == 2
           && number > first && std::string{verdict} == "ok";
  }

  cluster& nodes_;
  uint64_t number_ = 0;
  uint64_t last_asked_ = 0;
};

struct round_result {
  uint64_t killed = 0;
  uint64_t term = 0;
  double ms = 0;
};

result<round_result> run_round(cluster& nodes, persistent_writer& writer) {
  // All caught up: else the round measures a slow restart.
  if (auto settled = nodes.wait_until_applied(0); !settled)
    return settled.reason();
  auto leader = nodes.wait_for_leader();
  if (!leader)
    return leader.reason();
  auto told = nodes.ask(*leader);
  if (!told)
    return told.reason();
  if (!writer.first_write_ms(clock::now()))
    return error{errc::timeout, "no write was acknowledged with a healthy cluster"};
  auto killed_at = clock::now();
  nodes.at(*leader).kill();
  auto gap = writer.first_write_ms(killed_at);
  if (!gap)
    return error{errc::timeout, "no write was acknowledged within 60 s of the leader's death"};
  if (auto restarted = nodes.start(); !restarted)
    return restarted.reason();
  return round_result{*leader, told->term, *gap};
}

} // namespace

result<bool> measure_failover(const bench_options& options) {
  if (options.nodes < 3)
    return error{errc::invalid_option, "--nodes: a failover needs at least 3"};
  bench_options first = options;
  first.id = 1;
  first.members = "1=127.0.0.1:1";
  auto settings = make_node_options(first);
  if (!settings)
    return settings.reason();
  auto timeout_ms = static_cast<double>(settings->tick_ms * settings->election_ticks);
  auto directory = run_directory::make(options.data, options.keep);
  if (!directory)
    return directory.reason();
  (options.json ? std::cerr : std::cout)
    << "caucus-bench: failover, " << options.nodes << " nodes on 127.0.0.1, "
    << directory->file_system() << " (" << options.data << "), election timeout " << timeout_ms
    << " ms, " << options.rounds << " rounds" << std::endl;
  auto nodes = cluster::prepare(options, directory->path());
  if (!nodes)
    return nodes.reason();
  if (auto started = nodes->start(); !started)
    return started.reason();
  persistent_writer writer{*nodes};
  std::vector<double> gaps;
  for (uint64_t round = 1; round <= options.rounds; ++round) {
    auto done = run_round(*nodes, writer);
    if (!done) {
      directory->keep();
      return error{done.reason().code, "round " + std::to_string(round) + ": " + done.reason().what
                                         + " (kept: " + directory->path() + ")"};
    }
    gaps.push_back(done->ms);
    if (!options.json)
      std::printf("round %2llu: killed node %llu (term %llu), written again after %.0f ms\n",
                  static_cast<unsigned long long>(round),
                  static_cast<unsigned long long>(done->killed),
                  static_cast<unsigned long long>(done->term), done->ms);
    std::fflush(stdout);
  }
  auto in_order = gaps;
  std::sort(in_order.begin(), in_order.end());
  auto half = in_order.size() / 2;
  auto median = in_order.size() % 2 ? in_order[half] : (in_order[half - 1] + in_order[half]) / 2;
  auto ratio = median / timeout_ms;
  if (options.json) {
    std::printf("{\"rounds\":%zu,\"gaps_ms\":[", gaps.size());
    for (size_t i = 0; i < gaps.size(); ++i)
      std::printf("%s%.0f", i ? "," : "", gaps[i]);
    std::printf("],\"median_ms\":%.0f,\"max_ms\":%.0f,\"election_timeout_ms\":%.0f,"
                "\"ratio\":%.2f}\n",
                median, in_order.back(), timeout_ms, ratio);
  } else {
    std::printf("median %.0f ms, longest %.0f ms; median is %.2f x the election timeout of %.0f "
                "ms (limit %.1f)\n",
                median, in_order.back(), ratio, timeout_ms, ratio_max);
  }
  return ratio <= ratio_max;
}

} // namespace caucus::bench
