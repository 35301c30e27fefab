#include "persistence/unfinished_snapshot.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace caucus::persistence {

namespace {

constexpr uint64_t under_way_bytes_max = uint64_t{512} << 10;
constexpr uint64_t unsynced_bytes_max = uint64_t{32} << 20;

} // namespace

result<unfinished_snapshot> unfinished_snapshot::create(directory& dir,
                                                        const snapshot_identity& identity) {
  auto content = dir.create(unfinished_file_name(identity.name, identity.uid));
  if (!content)
    return std::move(content).reason();
  return unfinished_snapshot{dir, identity, *std::move(content)};
}

result<void> unfinished_snapshot::write_at(uint64_t offset, std::span<const std::byte> bytes) {
  if (failure_)
    return *failure_;
  CAUCUS_ASSERT(content_ != nullptr);
  if (auto done = content_->write_at(offset, bytes); !done)
    return fail(std::move(done).reason());
  return write_out(offset, bytes.size());
}

result<void> unfinished_snapshot::write_out(uint64_t offset, uint64_t bytes) {
  content_->begin_writing(offset, bytes);
  begun_ = std::min(begun_, offset); // What is received may have to begin again.
  const auto end = offset + bytes;
  if (end - begun_ > under_way_bytes_max) {
    // Not all, so that the disk always has something to do.
    const auto awaited = end - under_way_bytes_max / 2;
    if (auto done = content_->await_writing(begun_, awaited - begun_); !done)
      return fail(std::move(done).reason());
    begun_ = awaited;
  }
  unsynced_bytes_ += bytes;
  if (unsynced_bytes_ < unsynced_bytes_max)
    return {};
  unsynced_bytes_ = 0;
  if (auto done = content_->sync(); !done)
    return fail(std::move(done).reason());
  begun_ = end;
  return {};
}

result<void> unfinished_snapshot::publish() {
  if (failure_)
    return *failure_;
  CAUCUS_ASSERT(content_ != nullptr);
  if (auto done = content_->sync(); !done)
    return fail(std::move(done).reason());
  if (auto done = directory_->rename(name_, final_name_); !done)
    return fail(std::move(done).reason());
  content_.reset();
  if (auto done = directory_->sync(); !done) {
    failure_ = std::move(done).reason();
    return *failure_;
  }
  return {};
}

void unfinished_snapshot::abandon() noexcept {
  if (content_ == nullptr)
    return;
  content_.reset();
  // Best effort: on a disk that fails this may fail too, and then a start removes it.
  (void)directory_->remove(name_);
}

result<void> unfinished_snapshot::fail(error reason) {
  failure_ = std::move(reason);
  abandon();
  return *failure_;
}

} // namespace caucus::persistence
