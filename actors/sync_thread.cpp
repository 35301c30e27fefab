#include "actors/sync_thread.hpp"

#include "base/assert.hpp"

#include <pthread.h>
#include <utility>

namespace caucus {

sync_thread::sync_thread(std::function<void()> on_ended)
  : on_ended_{std::move(on_ended)}, thread_{[this] { run(); }} {
  ::pthread_setname_np(thread_.native_handle(), "caucus.sync");
}

sync_thread::~sync_thread() {
  {
    const std::lock_guard guard{mutex_};
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void sync_thread::begin(persistence::wal_sync sync) {
  {
    const std::lock_guard guard{mutex_};
    CAUCUS_ASSERT(!begun_ && !ended_);
    begun_ = std::move(sync);
  }
  changed_.notify_all();
}

bool sync_thread::has_ended() {
  const std::lock_guard guard{mutex_};
  return ended_.has_value();
}

result<void> sync_thread::take() {
  std::unique_lock guard{mutex_};
  changed_.wait(guard, [this] { return ended_.has_value(); });
  return *std::exchange(ended_, std::nullopt);
}

void sync_thread::run() {
  std::unique_lock guard{mutex_};
  for (;;) {
    changed_.wait(guard, [this] { return stopping_ || begun_.has_value(); });
    if (!begun_)
      return;
    const auto sync = *std::exchange(begun_, std::nullopt);
    guard.unlock();
    auto ended = sync.run();
    guard.lock();
    ended_ = std::move(ended);
    guard.unlock();
    changed_.notify_all();
    on_ended_();
    guard.lock();
  }
}

} // namespace caucus
