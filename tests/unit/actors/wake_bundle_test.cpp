#include "actors/wake_bundle.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

namespace caucus::testing {

namespace {

using namespace std::chrono_literals;

/// Counts the numbers it is sent.
caf::behavior counter(caf::event_based_actor*, std::shared_ptr<std::atomic<uint64_t>> sum) {
  return {[sum](uint64_t x) { sum->fetch_add(x); }};
}

struct counters {
  explicit counters(size_t n) {
    // Lazy: they sleep until their first message, and only a sleeping actor goes to the waker.
    for (size_t i = 0; i < n; ++i)
      actors.push_back(system.spawn<caf::lazy_init>(counter, sum));
  }
  ~counters() {
    for (auto& x : actors)
      caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
  }

  void send_all(caf::execution_unit* waker) {
    for (auto& x : actors)
      x->enqueue(caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, uint64_t{1}),
                 waker);
  }
  [[nodiscard]] bool reaches(uint64_t wanted) const {
    auto deadline = std::chrono::steady_clock::now() + 10s;
    while (sum->load() != wanted && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
    return sum->load() == wanted;
  }

  caf::actor_system_config config;
  caf::actor_system system{config};
  std::shared_ptr<std::atomic<uint64_t>> sum = std::make_shared<std::atomic<uint64_t>>(0);
  std::vector<caf::actor> actors;
};

} // namespace

TEST_CASE("every actor of a bundle runs, however many there are") {
  for (size_t n : {1, 2, 3, 64, 65, 500}) {
    CAPTURE(n);
    counters all{n};
    {
      wake_bundle wakes{all.system};
      all.send_all(&wakes);
    }
    CHECK(all.reaches(n));
  }
}

TEST_CASE("a bundle is handed over even if the batch throws") {
  counters all{3};
  try {
    wake_bundle wakes{all.system};
    all.send_all(&wakes);
    throw std::runtime_error{"the machine failed"};
  } catch (const std::runtime_error&) {
  }
  CHECK(all.reaches(3));
}

TEST_CASE("a slow batch does not delay its first answers") {
  counters all{5};
  wake_bundle wakes{all.system};
  all.send_all(&wakes);
  auto begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begin < 1ms)
    wakes.hand_over_if_late();
  CHECK(all.reaches(5)); // Though the bundle still exists.
}

} // namespace caucus::testing
