#include "tests/support/live_cluster.hpp"

#include <thread>

namespace caucus::testing {

namespace {

class no_events final : public event_log {
public:
  void role_changed(std::string_view, const raft::soft_state&) override {}
};

} // namespace

live_cluster::live_cluster(caf::actor_system& system, uint64_t nodes, machine_factory machine)
  : system_{system}, self_{system}, machine_{std::move(machine)} {
  for (uint64_t id = 1; id <= nodes; ++id)
    disks_.emplace(id, std::make_unique<memory_disk>("disk" + std::to_string(id)));
}

live_cluster::~live_cluster() {
  for (auto& [id, disk] : disks_)
    disk->hold_syncs(false);
  while (!nodes_.empty())
    stop(nodes_.begin()->first);
}

void live_cluster::start_all() {
  // Bound first and kept: a port that is only looked up may be gone when it is used.
  std::map<uint64_t, std::unique_ptr<transport::transport>> bound;
  node_options with;
  with.tick_ms = 20;
  with.data_directory = "memory";
  with.segment_bytes = 1 << 20;
  with.drain_timeout_ms = 0;
  for (auto& [id, disk] : disks_) {
    auto links = transport::make_tcp_transport({"127.0.0.1", 0});
    if (!links)
      throw std::runtime_error{to_string(links.reason())};
    with.members.emplace(node_id{id}, (*links)->local_endpoint());
    bound.emplace(id, *std::move(links));
  }
  for (auto& [id, disk] : disks_) {
    with.id = node_id{id};
    auto environment = make_production_environment();
    environment->log = std::make_shared<null_logger>();
    environment->open_directory = [on = disk.get()](const node_options&) { return on->open(); };
    environment->make_transport = [&links = bound.at(id)](const node_options&)
      -> result<std::unique_ptr<transport::transport>> { return std::move(links); };
    environment->open_event_log = [](const node_options&) -> result<std::unique_ptr<event_log>> {
      return std::unique_ptr<event_log>{std::make_unique<no_events>()};
    };
    auto started = node::start(system_, with, environment);
    if (!started)
      throw std::runtime_error{to_string(started.reason())};
    auto group = started->create_group("live", machine_);
    if (!group)
      throw std::runtime_error{to_string(group.reason())};
    nodes_.emplace(id, *std::move(started));
    groups_.emplace(id, *std::move(group));
  }
}

void live_cluster::stop(uint64_t id) {
  nodes_.at(id).stop();
  nodes_.erase(id);
  groups_.erase(id);
}

group_status live_cluster::status(uint64_t id) {
  group_status answer;
  self_->request(groups_.at(id), std::chrono::seconds{5}, status_request{})
    .receive([&](group_status& x) { answer = std::move(x); }, [](const caf::error&) {});
  return answer;
}

uint64_t live_cluster::wait_for_leader() {
  uint64_t leader = 0;
  wait_until([&] {
    std::map<std::pair<uint64_t, uint64_t>, size_t> followers;
    for (auto& [id, running] : nodes_) {
      auto seen = status(id);
      if (seen.leader != 0 && ++followers[{seen.term, seen.leader}] > disks_.size() / 2)
        leader = seen.leader;
    }
    return leader != 0;
  });
  return leader;
}

std::optional<outcome> live_cluster::propose(uint64_t id, std::string_view payload,
                                             std::chrono::milliseconds limit) {
  std::optional<outcome> answer;
  command what;
  what.payload = shared_bytes::copy_of(payload);
  self_->request(groups_.at(id), limit, what)
    .receive([&](outcome& x) { answer = std::move(x); }, [](const caf::error&) {});
  return answer;
}

bool live_cluster::wait_until(const std::function<bool()>& done, std::chrono::milliseconds limit) {
  auto deadline = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline)
      return false;
    std::this_thread::yield();
  }
  return true;
}

} // namespace caucus::testing
