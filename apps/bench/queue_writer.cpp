#include "apps/bench/queue_writer.hpp"

#include <caf/send.hpp>

namespace caucus::bench {

queue_writer::queue_writer(persistence::wal& log, std::shared_ptr<log_load> load)
  : log_{log}, load_{std::move(load)}, thread_{[this] { run(); }} {}

queue_writer::~queue_writer() {
  {
    const std::lock_guard guard{mutex_};
    is_stopping_ = true;
  }
  has_work_.notify_one();
  thread_.join();
}

void queue_writer::push(wal_append x) {
  bool was_empty = false;
  {
    const std::lock_guard guard{mutex_};
    was_empty = queue_.empty();
    queue_.push_back(std::move(x));
  }
  if (was_empty)
    has_work_.notify_one();
}

result<void> queue_writer::prepare() {
  if (log_.wants_reserve())
    if (auto done = log_.reserve(); !done)
      return done;
  return log_.prepare();
}

void queue_writer::run() {
  std::vector<wal_append> taken;
  while (true) {
    {
      std::unique_lock guard{mutex_};
      has_work_.wait(guard, [this] { return !queue_.empty() || is_stopping_; });
      if (queue_.empty())
        return;
      taken.swap(queue_);
    }
    for (const auto& x : taken)
      log_.add(x.group, x.batch);
    if (auto done = log_.commit(true); !done) {
      load_->fail(done.reason());
      return;
    }
    for (const auto& x : taken)
      caf::anon_send(x.replica, group_persisted{x.batch.seq});
    if (auto done = prepare(); !done) {
      load_->fail(done.reason());
      return;
    }
    taken.clear();
  }
}

} // namespace caucus::bench
