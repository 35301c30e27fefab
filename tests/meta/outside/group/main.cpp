// A node and a group of one inside this program's own actor system; one command, one reply.
#include <caucus/node.hpp>

#include <caf/scoped_actor.hpp>

#include <chrono>
#include <iostream>

using namespace std::chrono_literals;

namespace {

/// Counts the bytes it was sent.
class byte_counter : public caucus::state_machine {
public:
  caucus::apply_result apply(const caucus::apply_context&, const caucus::shared_bytes& x) override {
    bytes_ += x.size();
    return caucus::shared_bytes::copy_of(std::to_string(bytes_));
  }
  [[nodiscard]] uint64_t digest() const override { return bytes_; }

private:
  uint64_t bytes_ = 0;
};

int run(caf::actor_system& system, const std::string& directory) {
  caucus::node_options options;
  options.id = caucus::node_id{1};
  options.members[options.id] = {"127.0.0.1", 0};
  options.data_directory = directory;
  options.tick_ms = 10;
  auto node = caucus::node::start(system, options);
  if (!node) {
    std::cerr << to_string(node.reason()) << '\n';
    return 1;
  }
  auto group = node->create_group("bytes", [] { return std::make_unique<byte_counter>(); });
  if (!group) {
    std::cerr << to_string(group.reason()) << '\n';
    return 1;
  }
  caf::scoped_actor self{system};
  int status = 1;
  // The election of the only voter may still be under way: refusals are safe to send again.
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (status != 0 && std::chrono::steady_clock::now() < deadline) {
    caucus::command hello;
    hello.payload = caucus::shared_bytes::copy_of("hello");
    self->request(*group, 10s, hello)
      .receive(
        [&](const caucus::outcome& x) {
          if (x.kind == caucus::outcome_kind::committed && x.reply.view() == "5") {
            std::cout << "committed " << x.reply.view() << '\n';
            status = 0;
          } else {
            std::cerr << "not yet: " << to_string(x.reason) << ' ' << x.detail << '\n';
          }
        },
        [&](const caf::error& x) { std::cerr << system.render(x) << '\n'; });
  }
  group = caucus::error{};
  node->stop();
  return status;
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 2)
    return 2;
  caf::actor_system_config config;
  caucus::setup(config);
  caf::actor_system system{config};
  return run(system, argv[1]);
}
