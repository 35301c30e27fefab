#include "actors/snapshot_readings.hpp"

#include <algorithm>

namespace caucus {

result<shared_bytes> snapshot_readings::read(const snapshot_store& store,
                                             const snapshot_group& group, index_t index,
                                             const std::optional<persistence::kept_snapshot>& known,
                                             part wanted, persistence::snapshot_uid uid) {
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const reading& x) {
    return x.group == group.id && x.index == index;
  });
  if (found != open_.end()) {
    std::rotate(found, found + 1, open_.end());
  } else {
    if (!known)
      return error{errc::not_found, "there is no snapshot up to entry "
                                      + std::to_string(index.value())
                                      + " (any more); take one and read that"};
    auto opened = store.open_file(group, *known, uid);
    if (!opened)
      return std::move(opened).reason();
    if (open_.size() == readings_max)
      open_.erase(open_.begin());
    open_.push_back({group.id, index, *std::move(opened)});
  }
  auto& from = open_.back();
  from.is_read = true;
  const auto file_bytes = from.file.offer().file_bytes;
  if (wanted.offset > file_bytes)
    return error{errc::invalid_argument,
                 "the snapshot's file has " + std::to_string(file_bytes) + " bytes"};
  const auto size =
    std::min({snapshot_read_bytes_max, wanted.bytes_max, file_bytes - wanted.offset});
  auto memory = std::make_shared_for_overwrite<std::byte[]>(size);
  const std::span<std::byte> bytes{memory.get(), size};
  if (auto done = from.file.read_raw(wanted.offset, bytes); !done)
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
