#include "actors/new_cluster.hpp"
#include "actors/node_environment.hpp"
#include "actors/spdlog_logger.hpp"
#include "raft/core_status.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <random>
#include <thread>
#include <unistd.h>

namespace caucus {

namespace {

/// One line a change in `events.jsonl`, each by one write(2) at the end of the file: what was
/// written when the process is killed, stays.
class file_event_log final : public event_log {
public:
  file_event_log(int fd, node_id self, std::shared_ptr<logger> log)
    : fd_{fd}, self_{self}, log_{std::move(log)} {}
  ~file_event_log() override { ::close(fd_); }

  void role_changed(std::string_view group, const raft::soft_state& now) override {
    auto wall = std::chrono::system_clock::now().time_since_epoch();
    std::string line = "{\"time_us\":";
    line += std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(wall).count());
    line.append(",\"node\":").append(std::to_string(self_.value()));
    line.append(",\"group\":\"").append(group).append("\",\"role\":\"");
    line.append(to_string(now.role)).append("\",\"term\":");
    line.append(std::to_string(now.term.value())).append(",\"leader\":");
    line.append(std::to_string(now.leader.value())).append("}\n");
    if (::write(fd_, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
      log_->error("event=event_log_failed reason=\"" + std::string{std::strerror(errno)} + "\"");
  }

private:
  int fd_;
  node_id self_;
  std::shared_ptr<logger> log_;
};

result<std::unique_ptr<event_log>> open_event_log(const node_options& options,
                                                  std::shared_ptr<logger> log) {
  auto path = options.data_directory + "/events.jsonl";
  auto fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0)
    return error{errc::io_failed, "can't open " + path + ": " + std::strerror(errno)};
  return std::unique_ptr<event_log>{
    std::make_unique<file_event_log>(fd, options.id, std::move(log))};
}

result<std::unique_ptr<transport::transport>> make_transport(const node_options& options) {
  auto listen = options.listen;
  if (listen.host.empty())
    listen = options.members.at(options.id);
  transport::transport_limits limits;
  limits.frame_bytes_max = static_cast<uint32_t>(options.frame_bytes_max);
  limits.queue_bytes_max = options.link_queue_bytes_max;
  // A peer that is silent for two election timeouts is as good as gone.
  auto silence = options.tick_ms * options.election_ticks * 2;
  limits.idle_timeout = std::chrono::milliseconds{std::max<uint64_t>(silence, 1000)};
  return transport::make_tcp_transport(listen, limits);
}

result<std::unique_ptr<persistence::directory>> open_directory(const node_options& options) {
  // What is to be gone on with must be there: an empty directory isn't even made.
  if (options.force_new_cluster) {
    auto there = persistence::open_posix_directory_to_read(options.data_directory);
    auto names = there ? (*there)->list() : result<std::vector<std::string>>{there.reason()};
    if (!names && names.reason().code != errc::not_found)
      return std::move(names).reason();
    if (!names || names->empty())
      return nothing_to_go_on_with(options.data_directory);
  }
  return persistence::open_posix_directory(options.data_directory);
}

bool poll_until(const std::function<bool()>& done, std::chrono::milliseconds limit) {
  auto deadline = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() >= deadline)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return true;
}

} // namespace

std::shared_ptr<node_environment> make_production_environment() {
  auto result = std::make_shared<node_environment>();
  result->log = make_spdlog_logger("", log_level::info);
  result->open_directory = open_directory;
  result->make_transport = make_transport;
  result->open_event_log = [log = result->log](const node_options& x) {
    return open_event_log(x, log);
  };
  result->wall_clock_ns = [] {
    auto wall = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<int64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(wall).count());
  };
  result->pause = [](std::chrono::nanoseconds time) { std::this_thread::sleep_for(time); };
  result->seed = std::random_device{}();
  result->wait_until = poll_until;
  return result;
}

} // namespace caucus
