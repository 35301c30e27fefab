#include "actors/worker.hpp"

#include <caf/scheduler/abstract_coordinator.hpp>

namespace caucus {

namespace {

/// Messages an actor may handle before the next one's turn.
constexpr size_t messages_per_turn = 256;

} // namespace

void worker::context_unit::exec_later(caf::resumable* job) { system().scheduler().enqueue(job); }

worker::worker(caf::actor_system& system) : home_{&system, *this}, context_{&system} {}

worker::~worker() { stop(); }

void worker::start() {
  thread_ = std::thread{[this] { run(); }};
}

void worker::stop() {
  {
    std::lock_guard guard{mutex_};
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable())
    thread_.join();
}

void worker::push(caf::resumable* job) {
  std::lock_guard guard{mutex_};
  queue_.push_back(job);
  if (idle_)
    wake_.notify_one();
}

void worker::run() {
  std::deque<caf::resumable*> turn;
  for (;;) {
    {
      std::unique_lock guard{mutex_};
      idle_ = true;
      wake_.wait(guard, [this] { return stopping_ || !queue_.empty(); });
      idle_ = false;
      if (queue_.empty())
        return;
      turn.swap(queue_);
    }
    for (auto* job : turn) {
      switch (job->resume(&context_, messages_per_turn)) {
        case caf::resumable::resume_later: push(job); break;
        default: caf::intrusive_ptr_release(job); break;
      }
    }
    turn.clear();
  }
}

} // namespace caucus
