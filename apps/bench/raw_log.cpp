#include "apps/bench/raw_log.hpp"

#include "persistence/posix_file.hpp"

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <list>
#include <memory>
#include <thread>
#include <unistd.h>

namespace caucus::bench {

namespace {

using clock = std::chrono::steady_clock;
using persistence::posix_error;

constexpr size_t file_bytes = size_t{64} << 20;
/// More than a measurement writes.
constexpr size_t fresh_bytes = size_t{1} << 30;
constexpr size_t block_bytes = 4096;

/// A descriptor that closes.
class opened_file {
public:
  opened_file(const std::string& path, int flags)
    : fd_{::open(path.c_str(), O_RDWR | O_CLOEXEC | flags, 0600)} {}
  opened_file(const opened_file&) = delete;
  opened_file& operator=(const opened_file&) = delete;
  ~opened_file() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  [[nodiscard]] int fd() const noexcept { return fd_; }

private:
  int fd_;
};

struct free_memory {
  void operator()(std::byte* memory) const noexcept { std::free(memory); }
};
using aligned_bytes = std::unique_ptr<std::byte[], free_memory>;

aligned_bytes make_batch(size_t bytes) {
  auto padded = (bytes + block_bytes - 1) / block_bytes * block_bytes;
  aligned_bytes batch{static_cast<std::byte*>(std::aligned_alloc(block_bytes, padded))};
  std::memset(batch.get(), 0x5a, padded);
  return batch;
}

bool write_all(int fd, const std::byte* bytes, size_t size, size_t offset) {
  return ::pwrite(fd, bytes, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size);
}

result<void> prepare(const std::string& path) {
  const opened_file file{path, O_CREAT | O_TRUNC};
  constexpr size_t step = size_t{1} << 20;
  auto zeros = std::make_unique<std::byte[]>(step);
  for (size_t offset = 0; offset < file_bytes; offset += step)
    if (!write_all(file.fd(), zeros.get(), step, offset))
      return posix_error("cannot write", path, errno);
  if (::fsync(file.fd()) != 0)
    return posix_error("cannot sync", path, errno);
  return {};
}

result<void> allocate(const std::string& path) {
  const opened_file file{path, O_CREAT | O_TRUNC};
  if (const int number = ::posix_fallocate(file.fd(), 0, fresh_bytes); number != 0)
    return posix_error("cannot allocate", path, number);
  if (::fsync(file.fd()) != 0)
    return posix_error("cannot sync", path, errno);
  return {};
}

/// What the threads of one loop share.
struct turns {
  std::atomic<uint64_t> durable{0}; ///< Batches that are, with all before.
  std::atomic<int> failure{0};      ///< An errno.
  std::atomic<bool> is_over{false};
};

struct loop_plan {
  int flags = 0;
  bool must_sync = true;
  size_t written_bytes = 0;
  bool has_file_each = false;
  size_t file_bytes = bench::file_bytes;
  std::vector<std::string> paths; ///< One a thread; they may be the same.
};

/// Batches `which`, `which + threads`, …, each counted after the one before.
void run_loop(const loop_plan& plan, size_t which, int fd, turns& shared) {
  auto batch = make_batch(plan.written_bytes);
  const auto places = plan.file_bytes / plan.written_bytes;
  for (uint64_t number = which; !shared.is_over; number += plan.paths.size()) {
    const auto place = (plan.has_file_each ? number / plan.paths.size() : number) % places;
    if (!write_all(fd, batch.get(), plan.written_bytes, place * plan.written_bytes)
        || (plan.must_sync && ::fdatasync(fd) != 0))
      shared.failure = errno;
    for (auto seen = shared.durable.load(); seen < number && !shared.is_over;
         seen = shared.durable.load())
      shared.durable.wait(seen);
    if (shared.is_over || shared.failure != 0)
      break;
    shared.durable = number + 1;
    shared.durable.notify_all();
  }
}

/// Batches a second.
result<double> run(const loop_plan& plan, std::chrono::nanoseconds duration) {
  turns shared;
  std::list<opened_file> files;
  for (const auto& path : plan.paths)
    if (files.emplace_back(path, plan.flags).fd() < 0)
      return posix_error("cannot open", path, errno);
  std::vector<std::thread> threads;
  const auto begin = clock::now();
  for (size_t i = 0; auto& file : files)
    threads.emplace_back(run_loop, std::cref(plan), i++, file.fd(), std::ref(shared));
  std::this_thread::sleep_for(duration);
  const auto durable = shared.durable.load();
  const std::chrono::duration<double> took = clock::now() - begin;
  shared.is_over = true;
  shared.durable = UINT64_MAX; // Wakes whoever waits for a batch that isn't counted any more.
  shared.durable.notify_all();
  for (auto& thread : threads)
    thread.join();
  if (shared.failure != 0)
    return posix_error("cannot write or sync", plan.paths[0], shared.failure);
  return static_cast<double>(durable) / took.count();
}

} // namespace

std::string_view name_of(sync_way way) {
  switch (way) {
    case sync_way::fdatasync: return "fdatasync";
    case sync_way::dsync: return "O_DSYNC";
    case sync_way::direct: return "O_DIRECT|O_DSYNC";
    case sync_way::two_syncs: return "two fdatasyncs";
    case sync_way::two_files: return "two files";
    case sync_way::fdatasync_fresh: return "fdatasync, fresh";
    case sync_way::two_syncs_fresh: return "two, fresh";
  }
  return "?";
}

result<raw_log> raw_log::make(const std::string& directory) {
  std::vector<std::string> paths{directory + "/raw-0", directory + "/raw-1"};
  for (auto& path : paths)
    if (auto done = prepare(path); !done)
      return done.reason();
  return raw_log{std::move(paths)};
}

result<double> raw_log::measure(sync_way way, size_t batch_bytes,
                                std::chrono::nanoseconds duration) const {
  loop_plan plan{.written_bytes = batch_bytes, .paths = {paths_[0]}};
  if (way == sync_way::dsync || way == sync_way::direct) {
    plan.flags = O_DSYNC;
    plan.must_sync = false;
  }
  if (way == sync_way::direct) {
    plan.flags |= O_DIRECT;
    plan.written_bytes = (batch_bytes + block_bytes - 1) / block_bytes * block_bytes;
  }
  plan.has_file_each = way == sync_way::two_files;
  const auto fresh_path = paths_[0] + "-fresh";
  if (is_fresh(way)) {
    plan.file_bytes = fresh_bytes;
    plan.paths = {fresh_path};
    if (auto done = allocate(fresh_path); !done)
      return done.reason();
  }
  if (way == sync_way::two_syncs || way == sync_way::two_syncs_fresh)
    plan.paths.push_back(plan.paths[0]);
  if (plan.has_file_each)
    plan.paths.push_back(paths_[1]);
  auto measured = run(plan, duration);
  if (is_fresh(way))
    ::unlink(fresh_path.c_str());
  return measured;
}

} // namespace caucus::bench
