#include "transport/send_queue.hpp"

#include <array>
#include <cerrno>
#include <sys/socket.h>
#include <sys/uio.h>
#include <utility>

namespace caucus::transport {

void send_queue::set_bytes_max(uint64_t bytes) {
  std::lock_guard guard{mutex_};
  bytes_max_ = bytes;
}

bool send_queue::has_room(uint64_t bytes) {
  std::lock_guard guard{mutex_};
  const bool is_taken = is_closed_ || waiting_bytes_ + bytes <= bytes_max_;
  is_room_awaited_ |= !is_taken;
  return is_taken;
}

bool send_queue::takes_again() {
  std::lock_guard guard{mutex_};
  return waiting_bytes_ <= bytes_max_ / 2 && std::exchange(is_room_awaited_, false);
}

send_queue::outcome send_queue::push(std::vector<frame> frames) {
  uint64_t bytes = 0;
  for (const auto& x : frames)
    bytes += x.size;
  {
    std::lock_guard guard{mutex_};
    if (is_closed_)
      return outcome::closed;
    if (waiting_bytes_ + bytes > bytes_max_) {
      is_room_awaited_ = true;
      return outcome::full;
    }
    for (auto& x : frames)
      (x.is_urgent ? urgent_ : bulk_).push_back(std::move(x));
    waiting_bytes_ += bytes;
    if (has_writer_)
      return outcome::done;
    has_writer_ = take_batch();
    if (!has_writer_)
      return outcome::done;
  }
  return write(sender_rounds);
}

send_queue::outcome send_queue::resume() { return write(resume_rounds); }

void send_queue::close() {
  std::lock_guard guard{mutex_};
  is_closed_ = true;
  urgent_.clear();
  bulk_.clear();
}

bool send_queue::is_full() const {
  std::lock_guard guard{mutex_};
  return waiting_bytes_ >= bytes_max_;
}

bool send_queue::is_empty() const {
  std::lock_guard guard{mutex_};
  return waiting_bytes_ == 0;
}

bool send_queue::take_batch() {
  batch_.clear();
  at_ = offset_ = batch_bytes_ = 0;
  for (auto* queue : {&urgent_, &bulk_})
    while (!queue->empty() && batch_.size() < batch_frames_max && batch_bytes_ < batch_bytes_max) {
      batch_bytes_ += queue->front().size;
      batch_.push_back(std::move(queue->front()));
      queue->pop_front();
    }
  return !batch_.empty();
}

send_queue::outcome send_queue::write(int rounds) {
  for (;;) {
    if (auto why = outcome::done; !write_batch(why))
      return why;
    std::lock_guard guard{mutex_};
    waiting_bytes_ -= batch_bytes_;
    has_writer_ = take_batch();
    if (!has_writer_ || is_closed_)
      return outcome::done;
    if (--rounds == 0)
      return outcome::blocked;
  }
}

bool send_queue::write_batch(outcome& why) {
  while (at_ < batch_.size()) {
    std::array<iovec, batch_frames_max> parts;
    size_t count = 0;
    for (auto i = at_; i < batch_.size(); ++i, ++count) {
      const auto skipped = i == at_ ? offset_ : 0;
      parts[count] = {batch_[i].data.get() + skipped, batch_[i].size - skipped};
    }
    msghdr header{};
    header.msg_iov = parts.data();
    header.msg_iovlen = count;
    const auto n = ::sendmsg(descriptor_, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0) {
      advance(static_cast<size_t>(n));
      continue;
    }
    if (errno == EINTR)
      continue;
    const bool must_wait = errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS;
    if (!must_wait)
      errno_.store(errno, std::memory_order_relaxed);
    why = must_wait ? outcome::blocked : outcome::failed;
    return false;
  }
  return true;
}

void send_queue::advance(size_t written) {
  written_.fetch_add(written, std::memory_order_relaxed);
  while (written > 0) {
    const auto rest = batch_[at_].size - offset_;
    if (written < rest) {
      offset_ += written;
      return;
    }
    written -= rest;
    batch_[at_].data.reset();
    ++at_;
    offset_ = 0;
  }
}

} // namespace caucus::transport
