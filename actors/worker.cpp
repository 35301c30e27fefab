#include "actors/worker.hpp"

#include <caf/scheduler/abstract_coordinator.hpp>

#include <pthread.h>
#include <sys/resource.h>

namespace caucus {

namespace {

/// Messages an actor may handle before the next one's turn.
constexpr size_t messages_per_turn = 256;

} // namespace

void worker::context_unit::exec_later(caf::resumable* job) { system().scheduler().enqueue(job); }

worker::worker(caf::actor_system& system, std::string name)
  : home_{&system, *this}, context_{&system}, name_{std::move(name)} {
  ::sem_init(&wake_, 0, 0);
}

worker::~worker() {
  stop();
  ::sem_destroy(&wake_);
}

void worker::start(int niceness) {
  thread_ = std::thread{[this, niceness] {
    if (niceness != 0) // Of this thread alone, on Linux. What fails only costs others some CPU.
      ::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0) + niceness);
    run();
  }};
  ::pthread_setname_np(thread_.native_handle(), name_.c_str());
}

void worker::stop() {
  bool must_wake = false;
  {
    std::lock_guard guard{mutex_};
    stopping_ = true;
    must_wake = std::exchange(idle_, false);
  }
  if (must_wake)
    ::sem_post(&wake_);
  if (thread_.joinable())
    thread_.join();
}

void worker::push(caf::resumable* job) {
  bool must_wake = false;
  {
    std::lock_guard guard{mutex_};
    queue_.push_back(job);
    must_wake = std::exchange(idle_, false);
  }
  if (must_wake)
    ::sem_post(&wake_);
}

bool worker::take(std::deque<caf::resumable*>& turn) {
  for (;;) {
    {
      std::lock_guard guard{mutex_};
      if (!queue_.empty()) {
        turn.swap(queue_);
        return true;
      }
      if (stopping_)
        return false;
      idle_ = true;
    }
    while (::sem_wait(&wake_) != 0) {
      // A signal's handler ran on this thread.
    }
  }
}

void worker::run() {
  std::deque<caf::resumable*> turn;
  while (take(turn)) {
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
