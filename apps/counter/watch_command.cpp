#include "client_system.hpp"
#include "host_probe.hpp"
#include "single_commands.hpp"

#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>
#include <caucus/messages.hpp>

#include <ctime>
#include <iostream>
#include <mutex>

namespace counter {

namespace {

using namespace std::chrono_literals;

/// Answers of a node, one a second, that name no leader.
constexpr int leaderless_max = 5;

void print(std::string_view text) {
  static std::mutex mutex;
  std::lock_guard guard{mutex};
  auto now = std::chrono::system_clock::now();
  auto seconds = std::chrono::system_clock::to_time_t(now);
  auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()) % 1000;
  std::tm local{};
  localtime_r(&seconds, &local);
  std::array<char, 16> clock{};
  std::strftime(clock.data(), clock.size(), "%H:%M:%S", &local);
  auto fraction = std::to_string(1000 + ms.count()).substr(1);
  std::cout << clock.data() << '.' << fraction << "  " << text << std::endl;
}

/// Prints what one node says. After a reconnection only what is news.
class leader_printer final : public caucus::leader_listener::base {
public:
  explicit leader_printer(caf::actor_config& config) : caucus::leader_listener::base{config} {}

  behavior_type make_behavior() override {
    return {[this](const caucus::leader_changed& x) {
      if (x.term < term_ || (x.term == term_ && x.leader == leader_))
        return; // A node that is behind the one that was asked before.
      term_ = x.term;
      leader_ = x.leader;
      print("term " + std::to_string(x.term) + "  leader "
            + (x.leader ? std::to_string(x.leader) : "none"));
    }};
  }

private:
  uint64_t term_ = 0;
  uint64_t leader_ = UINT64_MAX;
};

caucus::group_actor connect(caf::scoped_actor& self, const address& node,
                            std::chrono::milliseconds patience) {
  caucus::group_actor found;
  if (!is_reachable(node, patience))
    return found;
  self
    ->request(self->home_system().middleman().actor_handle(), patience, caf::connect_atom::value,
              node.host, node.port)
    .receive(
      [&](const caf::node_id&, const caf::strong_actor_ptr& who,
          const std::set<std::string>& interface) {
        if (who && self->home_system().assignable<caucus::group_actor>(interface))
          found = caf::actor_cast<caucus::group_actor>(who);
      },
      [](const caf::error&) {}); // Not there: the caller tries the next.
  return found;
}

/// Returns when the node is gone or silent, or has heard of no leader for a while: it may have been
/// removed, and the others go on without it.
void follow(caf::scoped_actor& self, const caucus::group_actor& group,
            const caucus::leader_listener& listener, std::chrono::milliseconds patience) {
  self->monitor(group);
  self->send(group, listener);
  int leaderless = 0;
  for (bool is_alive = true; is_alive && leaderless < leaderless_max;) {
    self->receive([&](const caf::down_msg&) { is_alive = false; }, caf::after(1s) >> [] {});
    if (is_alive) // A stopped process keeps its connections: only silence tells.
      self->request(group, patience, caucus::status_request{})
        .receive(
          [&](const caucus::group_status& x) { leaderless = x.leader == 0 ? leaderless + 1 : 0; },
          [&](const caf::error&) { is_alive = false; });
  }
  self->demonitor(group.address());
}

} // namespace

int run_watch(const client_options& options) {
  auto listener = client_system().spawn<leader_printer>();
  caf::scoped_actor self{client_system()};
  for (bool has_told_loss = false;;) {
    for (auto& node : options.nodes) {
      auto group = connect(self, node, options.try_timeout);
      if (!group)
        continue;
      has_told_loss = false;
      print("watching through " + to_string(node));
      follow(self, group, listener, options.try_timeout);
      print("lost " + to_string(node));
    }
    if (!std::exchange(has_told_loss, true))
      print("no node answers; trying again");
    self->receive(caf::after(200ms) >> [] {});
  }
}

} // namespace counter
