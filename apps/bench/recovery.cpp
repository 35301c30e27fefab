#include "apps/bench/recovery.hpp"

#include "apps/bench/log_producer.hpp"
#include "apps/bench/run_directory.hpp"
#include "base/crc32c.hpp"
#include "persistence/wal.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <nlohmann/json.hpp>

namespace caucus::bench {

namespace {

using clock = std::chrono::steady_clock;

constexpr uint64_t groups = 1000;
constexpr size_t entries_per_append = 8;
constexpr size_t appends_per_batch = 64;
constexpr double gigabytes_per_s_min = 1;
constexpr size_t read_bytes = size_t{1} << 20;

struct written_log {
  uint64_t entries = 0;
  uint64_t bytes = 0; ///< Of batches: what is left of the newest file isn't counted.
};

/// Appends of all groups in turn, until the log is as large.
result<written_log> write_log(persistence::directory& where, uint64_t bytes) {
  auto opened = persistence::wal::open(where, {cluster_id{1}, node_id{1}});
  if (!opened)
    return opened.reason();
  auto& log = *opened->log;
  for (uint64_t group = 0; group < groups; ++group)
    log.add(make_log_group(group_id{group + 1}));
  const auto payload = make_log_payload();
  uint64_t appends = 0;
  uint64_t written = 0;
  while (written < bytes) {
    for (size_t i = 0; i < appends_per_batch; ++i, ++appends)
      log.add(group_id{appends % groups + 1},
              make_log_batch(appends / groups, entries_per_append, payload));
    written += log.staged_bytes();
    if (auto done = log.commit(written >= bytes); !done)
      return done.reason();
  }
  return written_log{appends * entries_per_append, written};
}

struct reading {
  uint64_t bytes = 0;
  double seconds = 0;
  double cpu_seconds = 0;
  uint32_t checksum = 0; ///< Of the raw reading: kept, so that it is computed.

  [[nodiscard]] double gigabytes_per_s() const {
    return static_cast<double>(bytes) / 1e9 / seconds;
  }
};

/// Of the calling thread.
double cpu_seconds() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
}

result<reading> recover(persistence::directory& where, const written_log& wanted) {
  const auto begin = clock::now();
  const auto cpu_before = cpu_seconds();
  auto opened = persistence::wal::open(where, {cluster_id{1}, node_id{1}});
  const auto cpu = cpu_seconds() - cpu_before;
  const std::chrono::duration<double> took = clock::now() - begin;
  if (!opened)
    return opened.reason();
  uint64_t entries = 0;
  for (auto& group : opened->recovery.groups)
    entries += group.last.value();
  if (entries != wanted.entries)
    return error{errc::wal_corrupt, "recovered " + std::to_string(entries) + " entries of "
                                      + std::to_string(wanted.entries)};
  return reading{wanted.bytes, took.count(), cpu};
}

/// What recovery can't do without.
result<reading> read_raw(persistence::directory& where) {
  auto names = where.list();
  if (!names)
    return names.reason();
  std::vector<std::byte> block(read_bytes);
  reading done;
  const auto begin = clock::now();
  for (auto& name : *names) {
    if (!name.ends_with(".log"))
      continue;
    auto file = where.open(name);
    if (!file)
      return file.reason();
    size_t got = block.size();
    for (uint64_t offset = 0; got == block.size(); offset += got) {
      auto read = (*file)->read_at(offset, block);
      if (!read)
        return read.reason();
      got = *read;
      done.checksum = crc32c(std::span{block}.first(got), done.checksum);
      done.bytes += got;
    }
  }
  const std::chrono::duration<double> took = clock::now() - begin;
  done.seconds = took.count();
  return done;
}

void tell(const bench_options& options, const written_log& log, const reading& ours,
          const reading& raw) {
  if (options.json) {
    nlohmann::ordered_json point{{"groups", groups},
                                 {"entries", log.entries},
                                 {"log_bytes", log.bytes},
                                 {"seconds", ours.seconds},
                                 {"cpu_seconds", ours.cpu_seconds},
                                 {"gb_per_s", ours.gigabytes_per_s()},
                                 {"raw_gb_per_s", raw.gigabytes_per_s()},
                                 {"gb_per_s_min", gigabytes_per_s_min}};
    std::cout << point.dump() << std::endl;
    return;
  }
  std::printf("%llu entries of %llu groups: %.2f GB recovered in %.3f s (CPU %.3f s), %.2f GB/s "
              "(at least %.1f wanted); read and summed only: %.2f GB/s\n",
              static_cast<unsigned long long>(log.entries), static_cast<unsigned long long>(groups),
              static_cast<double>(ours.bytes) / 1e9, ours.seconds, ours.cpu_seconds,
              ours.gigabytes_per_s(), gigabytes_per_s_min, raw.gigabytes_per_s());
}

} // namespace

result<bool> measure_recovery(const bench_options& options) {
  auto directory = run_directory::make(options.data, options.keep);
  if (!directory)
    return directory.reason();
  auto where = persistence::open_posix_directory(directory->path() + "/log");
  if (!where)
    return where.reason();
  auto log = write_log(**where, options.bytes);
  if (!log)
    return log.reason();
  std::vector<reading> ours;
  std::vector<reading> raw;
  for (uint64_t round = 0; round < options.rounds; ++round) {
    auto read = read_raw(**where); // First, so that the cache has it all.
    if (!read)
      return read.reason();
    raw.push_back(*read);
    auto recovered = recover(**where, *log);
    if (!recovered)
      return recovered.reason();
    ours.push_back(*recovered);
  }
  const auto faster = [](const reading& a, const reading& b) {
    return a.gigabytes_per_s() < b.gigabytes_per_s();
  };
  std::sort(ours.begin(), ours.end(), faster);
  std::sort(raw.begin(), raw.end(), faster);
  const auto& median = ours[ours.size() / 2];
  tell(options, *log, median, raw[raw.size() / 2]);
  return median.gigabytes_per_s() >= gigabytes_per_s_min;
}

} // namespace caucus::bench
