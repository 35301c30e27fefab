#include "actors/spilling_sink.hpp"

#include <algorithm>

namespace caucus {

namespace {

constexpr uint64_t pace_bytes = uint64_t{256} << 10;

} // namespace

result<void> spilling_sink::write(std::span<const std::byte> bytes) {
  bytes_ += bytes.size();
  if (!file_ && small_.size() + bytes.size() > persistence::small_snapshot_bytes_max)
    if (auto done = spill(); !done)
      return done;
  if (file_)
    return write_to_file(bytes);
  small_.insert(small_.end(), bytes.begin(), bytes.end());
  return {};
}

result<void> spilling_sink::spill() {
  auto made = persistence::snapshot_writer::create(directory_, header_);
  if (!made)
    return std::move(made).reason();
  file_.emplace(*std::move(made));
  return write_to_file(std::exchange(small_, {}));
}

result<void> spilling_sink::write_to_file(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto step = bytes.first(std::min<uint64_t>(bytes.size(), pace_bytes - untold_bytes_));
    if (auto done = file_->write(step); !done)
      return done;
    bytes = bytes.subspan(step.size());
    untold_bytes_ += step.size();
    if (untold_bytes_ < pace_bytes)
      continue;
    untold_bytes_ = 0;
    if (keep_pace_)
      keep_pace_(pace_bytes);
  }
  return {};
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
