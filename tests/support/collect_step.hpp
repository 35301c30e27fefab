#pragma once

#include "persistence/segment_collector.hpp"
#include "persistence/wal.hpp"

namespace caucus::testing {

/// What the collector and the log's writer do together in a node, on one thread: one step of
/// collecting the oldest segment, durable when it returns. False if there is nothing to do: it is
/// the newest, or damaged groups pin it.
inline result<bool> collect_step(persistence::wal& log, persistence::segment_collector& from,
                                 size_t bytes_max) {
  auto retired = log.retire_oldest();
  if (!retired)
    return std::move(retired).reason();
  bool does_more = *retired != persistence::wal::retirement::nothing;
  if (*retired == persistence::wal::retirement::nothing) {
    does_more = log.carry_metadata(bytes_max);
    if (!does_more && log.can_collect()) {
      auto next = from.next(log.oldest_segment(), bytes_max);
      if (!next)
        return std::move(next).reason();
      if (*next)
        log.carry(**next);
      does_more = next->has_value();
    }
  }
  does_more = does_more || log.staged_bytes() != 0;
  if (does_more && *retired != persistence::wal::retirement::removed)
    if (auto done = log.commit(true); !done)
      return std::move(done).reason();
  return does_more;
}

} // namespace caucus::testing
