#include "apps/bench/cluster.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <netinet/in.h>
#include <sstream>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace caucus::bench {

namespace {

constexpr auto start_limit = std::chrono::seconds(300);
constexpr auto leader_limit = std::chrono::seconds(60);
constexpr auto answer_limit = std::chrono::seconds(60);
/// A replica that executes nothing for so long won't.
constexpr auto progress_limit = std::chrono::seconds(30);
constexpr auto poll_interval = std::chrono::milliseconds(20);

/// Ports that nobody has now. All are held until the last is found, so they differ.
result<std::vector<uint16_t>> free_ports(size_t count) {
  std::vector<int> sockets;
  std::vector<uint16_t> ports;
  while (ports.size() < count) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    auto fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
      break;
    sockets.push_back(fd);
    if (::bind(fd, raw, size) != 0 || ::getsockname(fd, raw, &size) != 0)
      break;
    ports.push_back(ntohs(address.sin_port));
  }
  auto why = errno;
  for (auto fd : sockets)
    ::close(fd);
  if (ports.size() < count)
    return error{errc::io_failed, std::string{"no free port on 127.0.0.1: "} + std::strerror(why)};
  return ports;
}

std::string last_line_of(const std::string& path) {
  std::ifstream file{path};
  std::string last;
  for (std::string line; std::getline(file, line);)
    if (!line.empty())
      last = line;
  return last;
}

} // namespace

cluster::cluster(const bench_options& options, std::string path, std::string members)
  : options_{&options}, path_{std::move(path)}, members_{std::move(members)} {}

result<cluster> cluster::prepare(const bench_options& options, std::string path) {
  auto ports = free_ports(options.nodes);
  if (!ports)
    return ports.reason();
  std::string members;
  for (size_t i = 0; i < ports->size(); ++i)
    members += (i ? "," : "") + std::to_string(i + 1) + "=127.0.0.1:" + std::to_string((*ports)[i]);
  return cluster{options, std::move(path), std::move(members)};
}

std::string cluster::directory_of(uint64_t node) const {
  return path_ + "/node-" + std::to_string(node);
}

std::string cluster::log_of(uint64_t node) const { return directory_of(node) + ".log"; }

error cluster::failure(uint64_t node, const std::string& what) const {
  return {errc::unreachable, "node " + std::to_string(node) + " " + what
                               + "; the last line of its log: " + last_line_of(log_of(node))};
}

result<void> cluster::start() {
  auto is_first = nodes_.empty();
  std::vector<uint64_t> started;
  for (uint64_t node = 1; node <= options_->nodes; ++node) {
    if (!is_first && at(node).is_running())
      continue;
    std::vector<std::string> words{"node",   "--id",   std::to_string(node), "--members",
                                   members_, "--data", directory_of(node)};
    if (options_->groups > 0) {
      words.emplace_back("--groups");
      words.push_back(std::to_string(options_->groups));
    }
    if (options_->has_named_groups)
      words.emplace_back("--named-groups");
    for (auto& [name, text] : options_->node) {
      words.push_back("--" + name);
      words.push_back(text);
    }
    auto child = child_process::start(words, log_of(node));
    if (!child)
      return child.reason();
    if (is_first)
      nodes_.push_back(*std::move(child));
    else
      at(node) = *std::move(child);
    started.push_back(node);
  }
  auto deadline = child_process::clock::now() + start_limit;
  for (auto node : started)
    if (auto said = at(node).hear(deadline); said != "ready")
      return failure(node, "did not start: " + said.value_or("no answer"));
  return {};
}

void cluster::kill_all() noexcept {
  for (auto& node : nodes_)
    node.signal_kill(); // All at once: none sees the others go.
  for (auto& node : nodes_)
    node.kill();
}

std::vector<pid_t> cluster::pids() const {
  std::vector<pid_t> result;
  for (auto& node : nodes_)
    if (node.is_running())
      result.push_back(node.pid());
  return result;
}

result<cluster::replica> cluster::ask(uint64_t node) {
  auto& child = at(node);
  child.say("status");
  auto deadline = child_process::clock::now() + answer_limit;
  while (auto line = child.hear(deadline)) {
    if (line->starts_with("put "))
      continue; // Late news of a write that nobody waits for any more.
    std::istringstream words{*line};
    std::string verb;
    replica found;
    if (words >> verb >> found.role >> found.term >> found.leader >> found.applied >> found.commands
          >> found.digest
        && verb == "status")
      return found;
    return failure(node, "answered '" + *line + "' to a status request");
  }
  return failure(node, "does not answer");
}

result<std::string> cluster::demand(uint64_t node, const std::string& request,
                                    const std::string& expected,
                                    child_process::clock::duration limit) {
  auto& child = at(node);
  child.say(request);
  const auto said = child.hear(child_process::clock::now() + limit);
  if (said && (*said == expected || said->starts_with(expected + ' ')))
    return said->substr(expected.size());
  return error{errc::unreachable, "node " + std::to_string(node) + " answered '"
                                    + said.value_or("nothing") + "' to '" + request + "'"};
}

result<uint64_t> cluster::wait_for_leader() {
  auto deadline = child_process::clock::now() + leader_limit;
  while (child_process::clock::now() < deadline) {
    std::map<uint64_t, size_t> named;
    uint64_t leads = 0;
    for (uint64_t node = 1; node <= size(); ++node) {
      if (!at(node).is_running())
        continue;
      auto told = ask(node);
      if (!told)
        return told.reason();
      ++named[told->leader];
      if (told->role == "leader" && told->leader == node)
        leads = node;
    }
    if (leads != 0 && named[leads] > size() / 2)
      return leads;
    std::this_thread::sleep_for(poll_interval);
  }
  return error{errc::no_leader, "no leader within 60 s; see the nodes' logs in " + path_};
}

result<void> cluster::wait_until_applied(uint64_t commands) {
  std::vector<uint64_t> before(size());
  auto deadline = child_process::clock::now() + progress_limit;
  while (child_process::clock::now() < deadline) {
    std::map<uint64_t, std::vector<uint64_t>>
      digests; // By index: equal ones must have equal state.
    bool is_enough = true;
    for (uint64_t node = 1; node <= size(); ++node) {
      auto told = ask(node);
      if (!told)
        return told.reason();
      if (told->applied > std::exchange(before[node - 1], told->applied))
        deadline = child_process::clock::now() + progress_limit;
      is_enough = is_enough && told->commands >= commands;
      digests[told->applied].push_back(told->digest);
    }
    if (is_enough && digests.size() == 1) {
      auto& all = digests.begin()->second;
      for (auto digest : all)
        if (digest != all.front())
          return error{errc::invariant_violated, "replicas with equal logs have different states"};
      return {};
    }
    std::this_thread::sleep_for(poll_interval);
  }
  return error{errc::not_found, "after the restart fewer commands are found applied than the "
                                  + std::to_string(commands) + " that were acknowledged"};
}

} // namespace caucus::bench
