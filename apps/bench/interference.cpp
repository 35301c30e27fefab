#include "apps/bench/interference.hpp"

#include "apps/bench/median.hpp"
#include "apps/bench/named_cluster.hpp"
#include "apps/bench/run_directory.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

namespace caucus::bench {

namespace {

using clock = child_process::clock;
constexpr auto poll_interval = std::chrono::milliseconds(5);
/// What is waited for has to come within the run.
constexpr auto finish_limit = std::chrono::minutes(3);
constexpr double collection_ratio_max = 1.3;
constexpr double snapshot_ratio_max = 3;
constexpr double sent_mb_per_s_min = 100;

/// One turn: commands alone, then beside what is measured.
struct turn {
  load_latencies without;
  load_latencies with;
  double mb = 0;       ///< Freed, or sent.
  double seconds = 0;  ///< How long that took.
  double making_s = 0; ///< Of a snapshot, before it was sent.

  [[nodiscard]] double ratio() const { return with.p99_us / without.p99_us; }
  [[nodiscard]] double mb_per_s() const { return mb / seconds; }
};

double seconds_since(clock::time_point begin) {
  return std::chrono::duration<double>(clock::now() - begin).count();
}

/// The measured group's replicas are on all nodes, and its clients on its leader's.
constexpr const char* measured = "measured";

/// Commands alone, then beside `happens`, which says what it took.
result<turn> measure_beside(named_cluster& nodes, uint64_t leader, const bench_options& options,
                            const std::function<result<void>(turn&)>& happens) {
  const auto measure =
    [&](const std::function<result<void>()>& meanwhile) -> result<load_latencies> {
    if (auto done = nodes.begin_load(leader, measured); !done)
      return done.reason();
    if (auto done = meanwhile(); !done)
      return done.reason();
    return nodes.end_load();
  };
  turn x;
  auto without = measure([&]() -> result<void> {
    std::this_thread::sleep_for(std::chrono::seconds(options.seconds));
    return {};
  });
  if (!without)
    return without.reason();
  auto with = measure([&] { return happens(x); });
  if (!with)
    return with.reason();
  x.without = *without;
  x.with = *with;
  x.mb = static_cast<double>(options.bytes) / 1e6;
  return x;
}

// -- the log's garbage collector --------------------------------------------------

using segments = std::map<std::string, uint64_t>; ///< Bytes by name.

segments segments_in(const std::string& directory) {
  segments found;
  for (const auto& file : std::filesystem::directory_iterator{directory}) {
    std::error_code gone; // By the collector.
    if (file.path().extension() == ".log")
      if (const auto bytes = file.file_size(gone); !gone)
        found.emplace(file.path().filename(), bytes);
  }
  return found;
}

uint64_t freed_of(const segments& before, const segments& now) {
  uint64_t bytes = 0;
  for (const auto& [name, size] : before)
    bytes += now.contains(name) ? 0 : size;
  return bytes;
}

/// Until each node has freed that many bytes of the segments that it had.
result<void> wait_until_freed(const named_cluster& nodes, const std::vector<segments>& before,
                              uint64_t bytes) {
  for (const auto deadline = clock::now() + finish_limit; clock::now() < deadline;
       std::this_thread::sleep_for(poll_interval)) {
    uint64_t least = UINT64_MAX;
    for (uint64_t node = 1; node <= nodes.size(); ++node)
      least = std::min(least, freed_of(before[node - 1], segments_in(nodes.directory_of(node))));
    if (least >= bytes)
      return {};
  }
  return error{errc::timeout, "the log's garbage wasn't freed in time"};
}

/// Two groups fill the log; of one nearly all is given up, the other's entries have to be written
/// again.
result<turn> measure_collecting(named_cluster& nodes, const bench_options& options,
                                uint64_t leader) {
  const auto snapshot_on_all = [&]() -> result<void> {
    for (uint64_t node = 1; node <= nodes.size(); ++node)
      if (auto done = nodes.snapshot(node, "passing"); !done)
        return done.reason();
    return {};
  };
  const auto give = [&](const std::string& request, const char* expected) -> result<void> {
    if (auto done = nodes.ask(leader, request, expected); !done)
      return done.reason();
    return {};
  };
  auto segment_bytes = segment_bytes_of(options);
  if (!segment_bytes)
    return segment_bytes.reason();
  // The collector leaves twice what lives, and two segments.
  const auto filled = options.bytes + options.bytes / 4 + 4 * *segment_bytes;
  if (auto done = give("fill passing " + std::to_string(filled) + " staying", "filled"); !done)
    return done.reason();
  if (auto done = snapshot_on_all(); !done)
    return done.reason();
  if (auto done = give("resize passing 1", "resized"); !done)
    return done.reason();
  return measure_beside(nodes, leader, options, [&](turn& x) -> result<void> {
    std::vector<segments> before;
    for (uint64_t node = 1; node <= nodes.size(); ++node)
      before.push_back(segments_in(nodes.directory_of(node)));
    const auto begin = clock::now();
    if (auto done = snapshot_on_all(); !done) // The log goes back to the one before.
      return done.reason();
    if (auto done = wait_until_freed(nodes, before, options.bytes); !done)
      return done.reason();
    x.seconds = seconds_since(begin);
    return {};
  });
}

// -- snapshots --------------------------------------------------------------------

/// The follower opens its replica of a group that the others have compacted, so that it needs the
/// snapshot that is made before.
result<turn> measure_sending(named_cluster& nodes, const bench_options& options, uint64_t leader,
                             const std::string& group) {
  const auto follower = leader % nodes.size() + 1;
  for (uint64_t node = 1; node <= nodes.size(); ++node)
    if (node != follower)
      if (auto done = nodes.open(group, "sized", node); !done)
        return done.reason();
  if (auto done = nodes.lead(group, leader); !done)
    return done.reason();
  for (const uint64_t bytes : {uint64_t{1}, options.bytes}) {
    if (bytes != 1)
      if (auto done = nodes.snapshot(leader, group); !done)
        return done.reason();
    if (auto done = nodes.ask(leader, "resize " + group + ' ' + std::to_string(bytes), "resized");
        !done)
      return done.reason();
  }
  return measure_beside(nodes, leader, options, [&](turn& x) -> result<void> {
    auto begin = clock::now();
    auto made = nodes.snapshot(leader, group);
    if (!made)
      return made.reason();
    x.making_s = seconds_since(begin);
    begin = clock::now();
    if (auto done = nodes.open(group, "sized", follower); !done)
      return done.reason();
    for (uint64_t there = 0; there < *made; std::this_thread::sleep_for(poll_interval)) {
      auto told = nodes.newest_snapshot(follower, group);
      if (!told)
        return told.reason();
      there = *told;
      if (seconds_since(begin) > std::chrono::duration<double>(finish_limit).count())
        return error{errc::timeout, "the snapshot didn't come in time"};
    }
    x.seconds = seconds_since(begin);
    return {};
  });
}

// -- both -------------------------------------------------------------------------

struct target {
  const char* what;
  double ratio_max;
  double mb_per_s_min;
};

nlohmann::ordered_json to_json(const load_latencies& x) {
  return {{"seconds", x.seconds}, {"commands", x.commands}, {"p50_us", x.p50_us},
          {"p99_us", x.p99_us},   {"p999_us", x.p999_us},   {"max_us", x.max_us}};
}

void print(const char* when, const load_latencies& x) {
  std::printf("  %-8s %6.1f s %8llu commands, p50 %8.1f us, p99 %9.1f us, p99.9 %9.1f us, longest "
              "%9.1f us\n",
              when, x.seconds, static_cast<unsigned long long>(x.commands), x.p50_us, x.p99_us,
              x.p999_us, x.max_us);
}

void print(const target& of, const turn& x) {
  std::printf("%s: %.0f MB in %.2f s (%.0f MB/s)", of.what, x.mb, x.seconds, x.mb_per_s());
  if (x.making_s > 0)
    std::printf(", made in %.2f s", x.making_s);
  std::printf(", p99 %.2f x\n", x.ratio());
  print("without", x.without);
  print("with", x.with);
  std::fflush(stdout);
}

bool tell(const bench_options& options, const target& of, const std::vector<turn>& turns) {
  std::vector<double> ratios, speeds;
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const auto& x : turns) {
    ratios.push_back(x.ratio());
    speeds.push_back(x.mb_per_s());
    all.push_back({{"ratio", x.ratio()},
                   {"mb", x.mb},
                   {"seconds", x.seconds},
                   {"making_s", x.making_s},
                   {"without", to_json(x.without)},
                   {"with", to_json(x.with)}});
  }
  const auto ratio = median(ratios);
  const auto speed = median(speeds);
  const bool passed = ratio <= of.ratio_max && speed >= of.mb_per_s_min;
  if (options.json) {
    std::cout << nlohmann::ordered_json{{"measured", of.what},
                                        {"rate", options.rate},
                                        {"clients", options.clients.front()},
                                        {"turns", all},
                                        {"ratio", ratio},
                                        {"ratio_max", of.ratio_max},
                                        {"mb_per_s", speed},
                                        {"mb_per_s_min", of.mb_per_s_min},
                                        {"passed", passed}}
                   .dump()
              << std::endl;
    return passed;
  }
  std::printf("%s, medians: p99 %.2f x (at most %.1f wanted), %.0f MB/s (at least %.0f wanted)\n",
              of.what, ratio, of.ratio_max, speed, of.mb_per_s_min);
  return passed;
}

using measured_turn =
  std::function<result<turn>(named_cluster& nodes, uint64_t leader, uint64_t round)>;

result<std::vector<turn>> take_turns(const bench_options& options, const run_directory& directory,
                                     const target& of, const measured_turn& measure) {
  auto nodes = named_cluster::start(options, directory.path());
  if (!nodes)
    return nodes.reason();
  for (const auto& [group, kind] :
       {std::pair{measured, "counting"}, {"passing", "sized"}, {"staying", "counting"}})
    if (auto done = nodes->open(group, kind); !done)
      return done.reason();
  std::vector<turn> turns;
  for (uint64_t round = 1; round <= options.rounds; ++round) {
    auto leader = nodes->leader_of(measured);
    if (!leader)
      return leader.reason();
    auto one = measure(*nodes, *leader, round);
    if (!one)
      return one.reason();
    if (!options.json)
      print(of, *one);
    turns.push_back(*one);
  }
  return turns;
}

result<bool> measure(const bench_options& options, const target& of, const measured_turn& measure) {
  if (options.nodes < 3)
    return error{errc::invalid_option, "--nodes: a majority is measured, so at least 3"};
  auto directory = run_directory::make(options.data, options.keep);
  if (!directory)
    return directory.reason();
  auto turns = take_turns(options, *directory, of, measure);
  if (turns)
    return tell(options, of, *turns);
  directory->keep();
  return error{turns.reason().code, turns.reason().what + " (kept: " + directory->path() + ")"};
}

} // namespace

result<bool> measure_collection(const bench_options& options) {
  return measure(options, {"freed", collection_ratio_max, 0},
                 [&](named_cluster& nodes, uint64_t leader, uint64_t) {
                   return measure_collecting(nodes, options, leader);
                 });
}

result<bool> measure_snapshot(const bench_options& options) {
  return measure(options, {"sent", snapshot_ratio_max, sent_mb_per_s_min},
                 [&](named_cluster& nodes, uint64_t leader, uint64_t round) {
                   return measure_sending(nodes, options, leader, "state-" + std::to_string(round));
                 });
}

} // namespace caucus::bench
