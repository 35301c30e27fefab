#include "apps/bench/wal_speed.hpp"

#include "apps/bench/log_producer.hpp"
#include "apps/bench/log_under_load.hpp"
#include "apps/bench/median.hpp"
#include "apps/bench/raw_log.hpp"
#include "apps/bench/run_directory.hpp"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>

namespace caucus::bench {

namespace {

constexpr size_t batch_sizes[] = {1, 8, 64, 512};
constexpr size_t many_producers = 1000;
constexpr double producer_ratio_min = 0.9;
constexpr double many_ratio_min = 0.6;

/// One way to write, and what it reached in each round.
struct contender {
  std::string name;
  std::function<result<double>()> measure; ///< Entries a second.
  std::vector<double> reached;
};

/// Within each round, since the speed of a shared machine drifts from round to round.
double ratio(const contender& of, const contender& to) {
  std::vector<double> ratios;
  for (size_t i = 0; i < of.reached.size(); ++i)
    ratios.push_back(of.reached[i] / std::max(to.reached[i], 1.0));
  return median(ratios);
}

/// All in turns, each round begun by another.
result<void> run_rounds(std::vector<contender>& all, size_t rounds) {
  for (size_t round = 0; round < rounds; ++round)
    for (size_t i = 0; i < all.size(); ++i) {
      auto& next = all[(round + i) % all.size()];
      auto reached = next.measure();
      if (!reached)
        return error{reached.reason().code, next.name + ": " + reached.reason().what};
      next.reached.push_back(*reached);
    }
  return {};
}

class wal_bench {
public:
  wal_bench(const bench_options& options, std::string directory, raw_log raw)
    : options_{options},
      directory_{std::move(directory)},
      raw_{std::move(raw)},
      duration_{std::chrono::nanoseconds{std::chrono::seconds{options.seconds}}
                / (options.rounds * (std::size(sync_ways) + 2))} {}

  result<bool> run() {
    bool passed = true;
    for (auto batch : batch_sizes) {
      auto point = one_producer(batch);
      if (!point)
        return point.reason();
      passed = *point && passed;
    }
    auto point = many();
    if (!point)
      return point.reason();
    return *point && passed;
  }

private:
  contender ours(std::string name, log_load_plan plan) {
    plan.duration = duration_;
    return {std::move(name),
            [this, plan]() -> result<double> {
              auto measured = measure_log(directory_ + "/log", plan);
              if (!measured)
                return measured.reason();
              if (plan.writer == log_writer::actor)
                entries_per_sync_.push_back(measured->entries_per_sync);
              return measured->entries_per_s;
            },
            {}};
  }

  result<bool> one_producer(size_t batch) {
    entries_per_sync_.clear();
    std::vector<contender> all;
    all.push_back(ours("writer", {log_writer::actor, 1, batch, 2, {}}));
    all.push_back(ours("log in one thread", {log_writer::one_thread, 1, batch, 1, {}}));
    for (auto way : sync_ways)
      all.push_back({std::string{name_of(way)},
                     [this, way, batch]() -> result<double> {
                       auto batches = raw_.measure(way, log_batch_bytes(batch), duration_);
                       if (!batches)
                         return batches.reason();
                       return *batches * static_cast<double>(batch);
                     },
                     {}});
    if (auto done = run_rounds(all, options_.rounds); !done)
      return done.reason();
    const auto raw_begin = all.begin() + 2;
    const auto fresh_begin =
      raw_begin + std::count_if(sync_ways.begin(), sync_ways.end(), std::not_fn(is_fresh));
    const auto is_slower = [](auto& a, auto& b) { return median(a.reached) < median(b.reached); };
    const auto fastest = std::max_element(raw_begin, all.end(), is_slower);
    const auto fresh = std::max_element(fresh_begin, all.end(), is_slower);
    nlohmann::ordered_json point{{"producers", 1}, {"batch", batch}};
    point["fresh_blocks"] = {{"compared_with", fresh->name}, {"ratio", ratio(all[0], *fresh)}};
    const bool passed = tell("batches of " + std::to_string(batch), std::move(point), all, *fastest,
                             producer_ratio_min);
    if (!options_.json)
      std::printf("  and %.2f of '%s', the fastest that overwrites nothing it wrote\n",
                  ratio(all[0], *fresh), fresh->name.c_str());
    return passed;
  }

  result<bool> many() {
    entries_per_sync_.clear();
    std::vector<contender> all;
    all.push_back(ours("writer", {log_writer::actor, many_producers, 1, 1, {}}));
    all.push_back(ours("thread with a queue", {log_writer::queue, many_producers, 1, 1, {}}));
    if (auto done = run_rounds(all, options_.rounds); !done)
      return done.reason();
    return tell(std::to_string(many_producers) + " producers",
                {{"producers", many_producers}, {"batch", 1}}, all, all[1], many_ratio_min);
  }

  bool tell(const std::string& title, nlohmann::ordered_json point,
            const std::vector<contender>& all, const contender& fastest, double ratio_min) {
    const auto reached = ratio(all[0], fastest);
    const bool passed = reached >= ratio_min;
    const auto entries_per_sync = median(entries_per_sync_);
    if (options_.json) {
      for (auto& x : all)
        point["entries_per_s"][x.name] = std::llround(median(x.reached));
      point["entries_per_sync"] = entries_per_sync;
      point["compared_with"] = fastest.name;
      point["ratio"] = reached;
      point["ratio_min"] = ratio_min;
      point["passed"] = passed;
      std::cout << point.dump() << std::endl;
      return passed;
    }
    std::printf("%s (%.1f entries a sync)\n", title.c_str(), entries_per_sync);
    for (auto& x : all) {
      const auto [low, high] = std::minmax_element(x.reached.begin(), x.reached.end());
      std::printf("  %-20s %10.0f entries/s (%.0f to %.0f), %.2f x\n", x.name.c_str(),
                  median(x.reached), *low, *high, ratio(all[0], x));
    }
    std::printf("  the writer does %.2f of '%s': %s %.2f\n", reached, fastest.name.c_str(),
                passed ? "at least" : "MISSES", ratio_min);
    std::fflush(stdout);
    return passed;
  }

  const bench_options& options_;
  std::string directory_;
  raw_log raw_;
  std::chrono::nanoseconds duration_;
  std::vector<double> entries_per_sync_;
};

} // namespace

result<bool> measure_wal(const bench_options& options) {
  auto directory = run_directory::make(options.data, options.keep);
  if (!directory)
    return directory.reason();
  auto raw = raw_log::make(directory->path());
  if (!raw)
    return raw.reason();
  (options.json ? std::cerr : std::cout)
    << "caucus-bench: log, entries of " << log_payload_bytes << " bytes, "
    << directory->file_system() << " (" << options.data << "), medians of " << options.rounds
    << " rounds in turns; behind each way: the writer by it" << std::endl;
  return wal_bench{options, directory->path(), *std::move(raw)}.run();
}

} // namespace caucus::bench
