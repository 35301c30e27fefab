#pragma once

#include <caf/actor_system.hpp>
#include <caf/execution_unit.hpp>
#include <caf/resumable.hpp>

#include <deque>
#include <mutex>
#include <semaphore.h>
#include <string>
#include <thread>

namespace caucus {

/// A thread of our own that runs consensus actors inside the application's actor system, so that no
/// behaviour of the application's scheduler can starve elections (docs/adr: workers of our own).
/// FIFO. Outlives its actors: `stop` only after all of them are down.
class worker {
public:
  /// `name`: of its thread, for whoever looks at the process; at most 15 characters.
  worker(caf::actor_system& system, std::string name);
  ~worker();
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  /// The higher `niceness`, the less the thread takes of a CPU that others want, too.
  void start(int niceness = 0);
  /// Runs what is queued, then ends the thread.
  void stop();

  /// Where actors that live here are queued. Any thread.
  caf::execution_unit* home() noexcept { return &home_; }

private:
  /// Queues our own actors.
  class home_unit final : public caf::execution_unit {
  public:
    home_unit(caf::actor_system* system, worker& owner)
      : caf::execution_unit{system}, owner_{owner} {}
    void exec_later(caf::resumable* job) override { owner_.push(job); }

  private:
    worker& owner_;
  };

  /// What a running actor sees as its host. CAF queues the receivers of its messages there, which
  /// may be the application's actors: they belong to the application's scheduler, never on this
  /// thread.
  class context_unit final : public caf::execution_unit {
  public:
    explicit context_unit(caf::actor_system* system) : caf::execution_unit{system} {}
    void exec_later(caf::resumable* job) override;
  };

  void push(caf::resumable* job);
  /// Fills `turn`, waiting if there is nothing; false at the end.
  bool take(std::deque<caf::resumable*>& turn);
  void run();

  home_unit home_;
  context_unit context_;
  /// Posted by whoever takes `idle_` back. A semaphore, because it can be posted without the mutex:
  /// a thread woken under it would only wait again, for the mutex.
  sem_t wake_;
  std::mutex mutex_; ///< Guards what follows.
  std::deque<caf::resumable*> queue_;
  bool stopping_ = false;
  bool idle_ = false; ///< The thread waits for `wake_`, or is about to.
  std::string name_;
  std::thread thread_;
};

} // namespace caucus
