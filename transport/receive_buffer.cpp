#include "transport/receive_buffer.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <cstring>

namespace caucus::transport {

namespace {

/// Taken for a frame that is announced by an intact header, before anything else of it arrived.
constexpr size_t first_step_bytes = 1024;

} // namespace

std::span<std::byte> receive_buffer::writable() {
  const auto have = end_ - begin_;
  if (expected_ > chunk_bytes_) {
    if (!is_dedicated_ || end_ == capacity_) {
      move_to(std::min(expected_, std::max({2 * have, chunk_bytes_, first_step_bytes})));
      is_dedicated_ = true;
    }
  } else if (is_dedicated_ || !storage_ || capacity_ < chunk_bytes_) {
    move_to(chunk_bytes_);
    is_dedicated_ = false;
  } else if (begin_ > 0 && begin_ + std::max(expected_, have + 1) > capacity_) {
    std::memmove(storage_.get(), storage_.get() + begin_, have);
    begin_ = 0;
    end_ = have;
  }
  CAUCUS_ASSERT(end_ < capacity_);
  return {storage_.get() + end_, capacity_ - end_};
}

void receive_buffer::consume(size_t bytes) noexcept {
  begin_ += bytes;
  expected_ = 0;
  if (begin_ == end_)
    begin_ = end_ = 0;
}

void receive_buffer::move_to(size_t capacity) {
  const auto have = end_ - begin_;
  auto storage = std::make_shared_for_overwrite<std::byte[]>(capacity);
  if (have > 0)
    std::memcpy(storage.get(), storage_.get() + begin_, have);
  storage_ = std::move(storage);
  capacity_ = capacity;
  begin_ = 0;
  end_ = have;
}

} // namespace caucus::transport
