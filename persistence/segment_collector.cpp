#include "persistence/segment_collector.hpp"

#include "persistence/wal.hpp"

namespace caucus::persistence {

result<std::optional<carried>> segment_collector::next(uint64_t segment, size_t bytes_max) {
  if (segment_ != segment || left_.empty()) {
    segment_ = segment;
    left_ = reader_->index().live_in(segment);
  }
  while (!left_.empty()) {
    auto& from = left_.back();
    carried found{.group = from.group, .uid = from.uid, .segment = segment};
    if (from.is_snapshot) {
      auto read = reader_->read_snapshot(from.group, from.first);
      left_.pop_back();
      if (read)
        found.snapshot = *std::move(read);
      else if (read.reason().code != errc::not_found)
        return std::move(read).reason();
    } else {
      auto read = reader_->read(from.group, from.first, from.last, bytes_max);
      if (read && read->back()->id.index < from.last) {
        from.first = read->back()->id.index + 1;
      } else {
        left_.pop_back();
      }
      if (read)
        found.entries = *std::move(read);
      else if (read.reason().code != errc::not_found && read.reason().code != errc::no_such_group)
        return std::move(read).reason();
    }
    if (found.snapshot || !found.entries.empty())
      return std::optional{std::move(found)};
  }
  return std::optional<carried>{}; // What was there has gone meanwhile.
}

result<collected> collect_step(wal& log, segment_collector& from, size_t bytes_max) {
  auto retired = log.retire_oldest();
  if (!retired)
    return std::move(retired).reason();
  if (*retired == wal::retirement::removed) {
    log.take_removed().reset();
    return collected::removed;
  }
  bool does_more = *retired == wal::retirement::waiting;
  bool moves = false;
  if (!does_more)
    does_more = log.carry_metadata(bytes_max);
  if (!does_more && log.can_collect()) {
    auto next = from.next(log.oldest_segment(), bytes_max);
    if (!next)
      return std::move(next).reason();
    moves = next->has_value();
    if (moves)
      log.carry(**next);
  }
  if (!does_more && !moves && log.staged_bytes() == 0)
    return collected::nothing;
  if (auto done = log.commit(!moves); !done)
    return std::move(done).reason();
  return moves ? collected::written : collected::durable;
}

} // namespace caucus::persistence
