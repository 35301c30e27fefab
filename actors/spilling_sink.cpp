#include "actors/spilling_sink.hpp"

namespace caucus {

result<void> spilling_sink::write(std::span<const std::byte> bytes) {
  bytes_ += bytes.size();
  if (!file_ && small_.size() + bytes.size() > persistence::small_snapshot_bytes_max)
    if (auto done = spill(); !done)
      return done;
  if (file_)
    return file_->write(bytes);
  small_.insert(small_.end(), bytes.begin(), bytes.end());
  return {};
}

result<void> spilling_sink::spill() {
  auto made = persistence::snapshot_writer::create(directory_, header_);
  if (!made)
    return std::move(made).reason();
  file_.emplace(*std::move(made));
  return file_->write(std::exchange(small_, {}));
}

result<persistence::kept_snapshot> spilling_sink::finish() {
  persistence::kept_snapshot kept{
    .at = header_.at, .wall_ns = header_.wall_ns, .is_small = !file_.has_value()};
  if (!file_) {
    kept.bytes = shared_bytes::copy_of(small_);
    return kept;
  }
  if (auto done = file_->finish(); !done)
    return std::move(done).reason();
  return kept;
}

} // namespace caucus
