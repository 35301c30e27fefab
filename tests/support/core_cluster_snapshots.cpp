#include "base/assert.hpp"
#include "tests/support/core_cluster.hpp"

#include <algorithm>

namespace caucus::test {

using namespace raft;

/// The machine's state as of `index` is durable, so the log before it may go.
void core_cluster::compact(uint64_t id, uint64_t kept) {
  auto& r = at(id);
  if (!r.core || r.applied.size() <= kept)
    return;
  const index_t upto{r.applied.size() - kept};
  if (upto < status(id).first)
    return;
  r.file = r.core->boundary_at(upto).last;
  step(id, raft::compact{upto});
  if (status(id).first == upto + 1) {
    r.disk.compacted = r.file;
    r.shadow.compacted = r.file;
  }
}

void core_cluster::carry_snapshot(bool is_lost, bool is_reported) {
  const auto asked = snapshots_wanted.front();
  snapshots_wanted.pop_front();
  auto& from = at(asked.from);
  const index_t index{from.applied.size()};
  // The sender is gone, or its machine hasn't done yet what its log could already spare.
  if (!from.core || index < asked.at_least || index + 1 < status(asked.from).first)
    return;
  const bool arrives = !is_lost && at(asked.to).core && !cuts_.contains({asked.from, asked.to});
  if (arrives)
    install_snapshot(asked.to, from.core->boundary_at(index));
  if (is_reported)
    step(asked.from, snapshot_sent{node_id{asked.to}, arrives});
}

void core_cluster::install_snapshot(uint64_t id, const snapshot_boundary& x) {
  auto& r = at(id);
  if (x.last.index > r.file.index)
    r.file = x.last;
  ++snapshots_installed;
  step(id, snapshot_installed{x, committed_[x.last.index.value() - 1]->wall_ns});
}

/// What recovery does with a snapshot that goes beyond the log, or beside it.
void core_cluster::recover_from_file(replica& r) {
  const auto last = r.file.index.value();
  if (last == 0 || (last <= r.disk.log.size() && r.disk.log[last - 1]->id == r.file))
    return;
  r.disk.begin_after(r.file, committed_);
  if (r.disk.hard.term < r.file.term)
    r.disk.hard = {.term = r.file.term, .voted_for = {}, .commit = {}};
}

void core_cluster::stored::begin_after(entry_id last, const std::vector<entry_ptr>& committed) {
  const auto count = static_cast<std::ptrdiff_t>(last.index.value());
  CAUCUS_ASSERT(committed.size() >= last.index.value()
                && committed[last.index.value() - 1]->id == last);
  log.assign(committed.begin(), committed.begin() + count);
  compacted = last;
}

} // namespace caucus::test
