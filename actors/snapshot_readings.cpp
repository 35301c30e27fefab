#include "actors/snapshot_readings.hpp"

#include "caucus/messages.hpp"

#include <algorithm>

namespace caucus {

result<shared_bytes> snapshot_readings::read(const snapshot_store& store, place which,
                                             const std::optional<persistence::kept_snapshot>& known,
                                             uint64_t offset, persistence::snapshot_uid uid) {
  const auto found =
    std::find_if(open_.begin(), open_.end(), [&](const reading& x) { return x.which == which; });
  if (found != open_.end()) {
    std::rotate(found, found + 1, open_.end());
  } else {
    if (!known)
      return error{errc::not_found, "there is no snapshot up to entry "
                                      + std::to_string(which.index.value())
                                      + " (any more); take one and read that"};
    auto opened = store.open_file(which.group, *known, uid);
    if (!opened)
      return std::move(opened).reason();
    if (open_.size() == readings_max)
      open_.erase(open_.begin());
    open_.push_back({which, *std::move(opened)});
  }
  auto& from = open_.back();
  from.is_read = true;
  const auto file_bytes = from.file.offer().file_bytes;
  if (offset > file_bytes)
    return error{errc::invalid_argument,
                 "the snapshot's file has " + std::to_string(file_bytes) + " bytes"};
  const auto size = std::min(snapshot_read_bytes_max, file_bytes - offset);
  auto memory = std::make_shared_for_overwrite<std::byte[]>(size);
  const std::span<std::byte> bytes{memory.get(), size};
  if (auto done = from.file.read_raw(offset, bytes); !done)
    return std::move(done).reason();
  if (size == 0)
    open_.pop_back(); // That was all.
  return shared_bytes::window(std::move(memory), bytes);
}

bool snapshot_readings::close_unread() {
  std::erase_if(open_, [](reading& x) { return !std::exchange(x.is_read, false); });
  return !open_.empty();
}

} // namespace caucus
