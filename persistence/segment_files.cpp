#include "persistence/segment_files.hpp"

#include "persistence/segment_header.hpp"

#include <algorithm>

namespace caucus::persistence {

result<std::shared_ptr<file>> segment_files::open(uint64_t sequence) {
  const std::lock_guard guard{mutex_};
  const auto found = std::find_if(recent_.begin(), recent_.end(),
                                  [&](const auto& x) { return x.sequence == sequence; });
  if (found != recent_.end()) {
    recent_.splice(recent_.begin(), recent_, found);
    return recent_.front().content;
  }
  auto opened = directory_.open(segment_name(sequence));
  if (!opened)
    return std::move(opened).reason();
  recent_.push_front({sequence, std::shared_ptr<file>{*std::move(opened)}});
  if (recent_.size() > open_max_)
    recent_.pop_back();
  return recent_.front().content;
}

void segment_files::forget(uint64_t sequence) {
  const std::lock_guard guard{mutex_};
  recent_.remove_if([&](const auto& x) { return x.sequence == sequence; });
}

std::string segment_files::path(uint64_t sequence) const {
  return directory_.path() + "/" + segment_name(sequence);
}

} // namespace caucus::persistence
