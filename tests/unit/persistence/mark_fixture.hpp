#pragma once

#include "persistence/kept_snapshot.hpp"
#include "tests/unit/persistence/wal_fixture.hpp"

namespace caucus::testing {

inline raft::snapshot_boundary boundary(uint64_t index, uint64_t term,
                                        std::set<uint64_t> voters = {1, 2, 3}) {
  membership::configuration members;
  for (const auto id : voters)
    members.voters.insert(node_id{id});
  return {{index_t{index}, term_t{term}},
          {index_t{2}, std::make_shared<const membership::configuration>(std::move(members))}};
}

/// A snapshot in a file, and from where the log is kept.
inline persistence::snapshot_mark mark(raft::snapshot_boundary at,
                                       raft::snapshot_boundary begins_after = {}) {
  persistence::snapshot_mark x;
  x.snapshot.wall_ns = static_cast<int64_t>(1000 * at.last.index.value() + at.last.term.value());
  x.snapshot.at = std::move(at);
  x.begins_after = std::move(begins_after);
  return x;
}

inline persistence::snapshot_mark small_mark(raft::snapshot_boundary at, std::string_view content,
                                             raft::snapshot_boundary begins_after = {}) {
  auto x = mark(std::move(at), std::move(begins_after));
  x.snapshot.is_small = true;
  x.snapshot.bytes = shared_bytes::copy_of(content);
  return x;
}

} // namespace caucus::testing
