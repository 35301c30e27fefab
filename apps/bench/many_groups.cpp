#include "apps/bench/many_groups.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <chrono>
#include <string>
#include <thread>

namespace caucus::bench {

namespace {

using retry_atom = caf::atom_constant<caf::atom("retry")>;
/// Long: clients of thousands of groups that have no leader yet must not keep it from being
/// elected.
constexpr std::chrono::seconds retry_pause{2};
constexpr std::chrono::milliseconds poll_interval{1};

class counting_machine final : public state_machine {
public:
  explicit counting_machine(std::atomic<uint64_t>& applied) noexcept : applied_{applied} {}

  apply_result apply(const apply_context&, const shared_bytes&) override {
    applied_.fetch_add(1, std::memory_order_relaxed);
    return shared_bytes{};
  }

  [[nodiscard]] uint64_t digest() const override { return applied_; }

private:
  std::atomic<uint64_t>& applied_;
};

/// What the clients of one filling share.
struct filling {
  shared_bytes payload;
  std::atomic<uint64_t> repeated{0};
};

/// Sends `left` commands to one group, one after the other.
caf::behavior fill_group(caf::event_based_actor* self, std::shared_ptr<filling> shared,
                         group_actor group, uint64_t left) {
  auto ask = [=](uint64_t still_left) {
    const auto again = [=] {
      shared->repeated.fetch_add(1, std::memory_order_relaxed);
      self->delayed_send(self, retry_pause, retry_atom::value, still_left);
    };
    self->request(group, caf::infinite, command{.payload = shared->payload})
      .then(
        [=](const outcome& answer) {
          if (answer.kind != outcome_kind::committed)
            again();
          else if (still_left == 1)
            self->quit();
          else
            self->send(self, retry_atom::value, still_left - 1);
        },
        [=](const caf::error&) { again(); });
  };
  self->send(self, retry_atom::value, left);
  return {[=](retry_atom, uint64_t still_left) { ask(still_left); }};
}

} // namespace

result<void> many_groups::open(node& owner) {
  for (size_t i = 0; i < applied_.size(); ++i) {
    auto opened = owner.create_group("group-" + std::to_string(i), [&applied = applied_[i]] {
      return std::make_unique<counting_machine>(applied);
    });
    if (!opened)
      return opened.reason();
    handles_.push_back(*std::move(opened));
  }
  return {};
}

uint64_t many_groups::fill(caf::actor_system& system, uint64_t count, size_t payload_bytes) {
  auto shared = std::make_shared<filling>();
  shared->payload = shared_bytes::copy_of(std::string(payload_bytes, 'x'));
  caf::scoped_actor self{system};
  std::vector<caf::actor> clients;
  for (const auto& group : handles_)
    clients.push_back(system.spawn(fill_group, shared, group, count));
  self->wait_for(clients);
  return shared->repeated;
}

void many_groups::wait_until_applied(uint64_t count) const {
  for (const auto& applied : applied_)
    while (applied.load(std::memory_order_relaxed) < count)
      std::this_thread::sleep_for(poll_interval);
}

} // namespace caucus::bench
