#include "apps/bench/named_cluster.hpp"

#include <algorithm>
#include <sstream>
#include <thread>

namespace caucus::bench {

namespace {

using clock = child_process::clock;
/// Of filling a log and of making a large snapshot, too.
constexpr auto answer_limit = std::chrono::minutes(10);
constexpr auto leader_limit = std::chrono::seconds(60);
constexpr auto poll_interval = std::chrono::milliseconds(20);

} // namespace

result<named_cluster> named_cluster::start(const bench_options& options, const std::string& path) {
  auto nodes = cluster::prepare(options, path);
  if (!nodes)
    return nodes.reason();
  if (auto started = nodes->start(); !started)
    return started.reason();
  return named_cluster{options, *std::move(nodes)};
}

result<std::string> named_cluster::demand(uint64_t node, const std::string& request,
                                          const std::string& expected) {
  return nodes_.demand(node, request, expected, answer_limit);
}

result<std::vector<uint64_t>> named_cluster::ask(uint64_t node, const std::string& request,
                                                 const std::string& expected) {
  auto said = demand(node, request, expected);
  if (!said)
    return said.reason();
  std::vector<uint64_t> numbers;
  std::istringstream words{*said};
  for (uint64_t x = 0; words >> x;)
    numbers.push_back(x);
  return numbers;
}

result<void> named_cluster::open(const std::string& group, const std::string& kind, uint64_t node) {
  for (uint64_t one = 1; one <= size(); ++one) {
    if (node != 0 && one != node)
      continue;
    if (auto done = demand(one, "open " + group + ' ' + kind, "opened"); !done)
      return done.reason();
    opened_.emplace_back(group, one);
  }
  return {};
}

result<named_cluster::replica> named_cluster::status(uint64_t node, const std::string& group) {
  auto said = demand(node, "status " + group, "status");
  if (!said)
    return said.reason();
  std::istringstream words{*said};
  replica found;
  uint64_t applied = 0;
  words >> found.role >> found.leader >> applied >> found.snapshot;
  return found;
}

result<uint64_t> named_cluster::leader_of(const std::string& group) {
  for (const auto deadline = clock::now() + leader_limit; clock::now() < deadline;
       std::this_thread::sleep_for(poll_interval)) {
    uint64_t leader = 0;
    bool is_known = true;
    for (const auto& [name, node] : opened_) {
      if (name != group)
        continue;
      auto told = status(node, group);
      if (!told)
        return told.reason();
      leader = leader == 0 ? told->leader : leader;
      is_known = is_known && told->leader != 0 && told->leader == leader;
    }
    if (is_known)
      return leader;
  }
  return error{errc::no_leader, "the replicas of " + group + " don't agree who leads"};
}

result<void> named_cluster::lead(const std::string& group, uint64_t node) {
  error last{errc::no_leader, "not tried"};
  for (const auto deadline = clock::now() + leader_limit; clock::now() < deadline;) {
    auto leader = leader_of(group);
    if (!leader)
      return leader.reason();
    if (*leader == node)
      return {};
    // A transfer may fail, and is tried again.
    if (auto done =
          demand(*leader, "transfer " + group + ' ' + std::to_string(node), "transferred");
        !done)
      last = done.reason();
  }
  return last;
}

result<uint64_t> named_cluster::snapshot(uint64_t node, const std::string& group) {
  auto made = ask(node, "snapshot " + group, "snapshot");
  if (!made)
    return made.reason();
  return made->at(0);
}

result<uint64_t> named_cluster::newest_snapshot(uint64_t node, const std::string& group) {
  auto told = status(node, group);
  if (!told)
    return told.reason();
  return told->snapshot;
}

result<void> named_cluster::begin_load(uint64_t node, const std::string& group) {
  std::ostringstream order;
  order << "load " << group << ' ' << options_->clients.front() << ' ' << options_->payload_bytes
        << ' ' << options_->rate;
  if (auto done = demand(node, order.str(), "loading"); !done)
    return done.reason();
  loading_ = node;
  loading_since_ = clock::now();
  return {};
}

result<load_latencies> named_cluster::end_load() {
  load_latencies x;
  x.seconds = std::chrono::duration<double>(clock::now() - loading_since_).count();
  auto said = demand(loading_, "unload .", "loaded");
  if (!said)
    return said.reason();
  std::istringstream words{*said};
  if (!(words >> x.commands >> x.p50_us >> x.p99_us >> x.p999_us >> x.max_us))
    return error{errc::malformed, "no latencies: " + *said};
  return x;
}

} // namespace caucus::bench
