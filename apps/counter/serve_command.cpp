#include "serve_command.hpp"

#include "client_port.hpp"
#include "counter_machine.hpp"

#include <caf/io/middleman.hpp>
#include <caucus/node.hpp>

#include <csignal>
#include <iostream>
#include <unistd.h>

namespace counter {

namespace {

class node_system_config : public caf::actor_system_config {
public:
  node_system_config() {
    caucus::setup(*this);
    load<caf::io::middleman>();
    // Consensus runs on Caucus's own workers; here is only what serves the clients.
    set("scheduler.max-threads", size_t{1});
  }
};

int fail(const std::string& why) {
  std::cerr << "caucus-counter: " << why << std::endl;
  return 1;
}

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

/// Whoever asks twice doesn't want to wait for what drains.
void end_at_next_signal() {
  struct sigaction action {};
  action.sa_handler = [](int) { ::_exit(1); };
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  auto signals = stop_signals();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

/// Returns the node's health when a signal came or it can't go on.
caucus::node_health wait_for_end(const caucus::node& node) {
  auto signals = stop_signals();
  timespec period{.tv_sec = 0, .tv_nsec = 200'000'000};
  for (;;) {
    if (sigtimedwait(&signals, nullptr, &period) > 0)
      return {};
    if (auto health = node.health(); !health.healthy)
      return health;
  }
}

int serve(caf::actor_system& system, const serve_options& options, client_port reserved) {
  auto node = caucus::node::start(system, options.node);
  if (!node)
    return fail(node.reason().what);
  auto group = node->create_group(group_name, [] { return std::make_unique<counter_machine>(); });
  if (!group) {
    node->stop();
    return fail(group.reason().what);
  }
  auto port = system.middleman().publish(*group, options.client.port, options.client.host.c_str(),
                                         true /* SO_REUSEADDR: restarts needn't wait */);
  if (!port) {
    node->stop();
    return fail("can't serve clients at " + to_string(options.client) + ": "
                + system.render(port.error()));
  }
  { auto published = std::move(reserved); }
  std::cout << "node " << options.node.id.value() << " of cluster " << options.node.cluster
            << ": peers " << to_string(node->peer_endpoint()) << ", clients "
            << to_string(caucus::endpoint{options.client.host, *port}) << ", data "
            << options.node.data_directory << std::endl;
  auto health = wait_for_end(*node);
  end_at_next_signal();
  group = caucus::error{};
  node->stop();
  return health.healthy ? 0 : fail("the node can't go on: " + health.reason);
}

} // namespace

int run_serve(const serve_options& options) {
  if (auto valid = caucus::validate(options.node); !valid)
    return fail(valid.reason().what);
  auto& listen = options.node.listen.host.empty() ? options.node.members.at(options.node.id)
                                                  : options.node.listen;
  if (options.client == listen && listen.port != 0)
    return fail("--client " + to_string(options.client)
                + " is where the peers connect; clients need an address of their own");
  auto reserved = client_port::reserve(options.client);
  if (!reserved)
    return fail(reserved.reason().what);
  // Before any thread is there, so that all of them leave the signals to the main thread.
  auto signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  node_system_config config;
  caf::actor_system system{config};
  return serve(system, options, *std::move(reserved));
}

} // namespace counter
