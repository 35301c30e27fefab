#include "persistence/segment_files.hpp"

#include "persistence/segment_header.hpp"

#include <algorithm>

namespace caucus::persistence {

result<std::shared_ptr<file>> segment_files::open(uint64_t sequence) {
  std::unique_lock guard{mutex_};
  if (auto found = find(sequence))
    return found;
  const auto mine = being_opened_.insert(being_opened_.end(), sequence);
  // Without the lock: others needn't wait for the disk.
  guard.unlock();
  auto opened = directory_.open(segment_name(sequence));
  guard.lock();
  being_opened_.erase(mine);
  if (!opened)
    return std::move(opened).reason();
  std::shared_ptr<file> content{*std::move(opened)};
  std::erase_if(handed_out_, [](const auto& x) { return x.content.expired(); });
  handed_out_.push_back({sequence, content});
  if (sequence > forgotten_upto_)
    recent_.push_front({sequence, content});
  if (recent_.size() > open_max_)
    recent_.pop_back();
  return content;
}

std::shared_ptr<file> segment_files::find(uint64_t sequence) {
  const auto found = std::find_if(recent_.begin(), recent_.end(),
                                  [&](const auto& x) { return x.sequence == sequence; });
  if (found == recent_.end())
    return nullptr;
  recent_.splice(recent_.begin(), recent_, found);
  return recent_.front().content;
}

void segment_files::forget_upto(uint64_t sequence) {
  const std::lock_guard guard{mutex_};
  forgotten_upto_ = std::max(forgotten_upto_, sequence);
  recent_.remove_if([&](const auto& x) { return x.sequence <= sequence; });
}

bool segment_files::is_held(uint64_t sequence) {
  const std::lock_guard guard{mutex_};
  return std::find(being_opened_.begin(), being_opened_.end(), sequence) != being_opened_.end()
         || std::any_of(handed_out_.begin(), handed_out_.end(), [&](const auto& x) {
              return x.sequence == sequence && !x.content.expired();
            });
}

std::string segment_files::path(uint64_t sequence) const {
  return directory_.path() + "/" + segment_name(sequence);
}

} // namespace caucus::persistence
