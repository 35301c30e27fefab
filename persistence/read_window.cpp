#include "persistence/read_window.hpp"

#include <algorithm>

namespace caucus::persistence {

result<std::span<const std::byte>> read_window::at(uint64_t offset, size_t size) {
  if (offset < begin_ || offset + size > begin_ + size_) {
    const auto wanted = std::max(size, bytes_ahead_);
    if (capacity_ < wanted) {
      memory_ = std::make_unique_for_overwrite<std::byte[]>(wanted);
      capacity_ = wanted;
    }
    size_ = 0;
    auto done = source_->read_at(offset, {memory_.get(), wanted});
    if (!done)
      return std::move(done).reason();
    begin_ = offset;
    size_ = *done;
  }
  const auto skipped = static_cast<size_t>(offset - begin_);
  return std::span<const std::byte>{memory_.get() + skipped, std::min(size, size_ - skipped)};
}

} // namespace caucus::persistence
