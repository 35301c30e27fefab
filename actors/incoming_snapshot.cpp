#include "actors/incoming_snapshot.hpp"

#include "persistence/snapshot_reader.hpp"

namespace caucus {

result<std::unique_ptr<incoming_snapshot>>
incoming_snapshot::create(persistence::directory& dir, const persistence::snapshot_offer& offer) {
  std::unique_ptr<incoming_snapshot> made{new incoming_snapshot{offer}};
  made->is_small_ = offer.file_bytes <= persistence::small_snapshot_bytes_max;
  made->directory_ = made->is_small_ ? &made->memory_ : &dir;
  auto receiver = persistence::snapshot_receiver::create(*made->directory_, offer);
  if (!receiver)
    return std::move(receiver).reason();
  made->receiver_.emplace(*std::move(receiver));
  return made;
}

result<persistence::kept_snapshot> incoming_snapshot::finish() {
  if (auto done = receiver_->publish(); !done)
    return std::move(done).reason();
  auto opened = persistence::snapshot_reader::open(*directory_, offer_.identity.name);
  if (!opened)
    return std::move(opened).reason();
  persistence::kept_snapshot got{
    .at = opened->header().at, .wall_ns = opened->header().wall_ns, .is_small = is_small_};
  if (is_small_) {
    std::vector<std::byte> bytes(opened->content_bytes());
    auto done = opened->read(bytes);
    if (!done)
      return std::move(done).reason();
    got.bytes = shared_bytes::copy_of(bytes);
  }
  return got;
}

} // namespace caucus
