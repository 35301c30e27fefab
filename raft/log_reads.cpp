#include "base/assert.hpp"
#include "raft/core.hpp"

#include <algorithm>
#include <limits>

namespace caucus::raft {

bool core::is_reading_for(node_id to) const noexcept {
  return std::any_of(reads_.begin(), reads_.end(), [to](const auto& x) { return x.to == to; });
}

void core::read_log(node_id to, index_t first, index_t last, uint64_t bytes_max, ready& out) {
  CAUCUS_ASSERT(!is_reading_for(to));
  reads_.push_back({to, first, last});
  const auto limit = std::min<uint64_t>(bytes_max, std::numeric_limits<uint32_t>::max());
  out.reads.push_back({to, first, last, static_cast<uint32_t>(limit)});
}

bool core::wants_apply_read() const noexcept {
  return apply_.next() <= applicable() && apply_.has_room() && !log_.is_in_memory(apply_.next())
         && read_to_apply_.empty() && !apply_.is_read_failed() && !is_reading_for(options_.self);
}

// Between question and answer the log may have been cut and written anew. The answer counts if its
// entries are still the log's: index and term name an entry for ever (Log Matching).
void core::on(log_read_done& x) {
  auto asked =
    std::find_if(reads_.begin(), reads_.end(), [&](const auto& read) { return read.to == x.to; });
  if (asked == reads_.end() || asked->first != x.first) {
    ++noise_.stale_reads;
    return;
  }
  const auto count_max = asked->last - asked->first + 1;
  reads_.erase(asked);
  if (x.entries.empty())
    ++noise_.failed_reads;
  else if (x.entries.size() > count_max || !log_.holds(x.first, x.entries)) {
    ++noise_.stale_reads;
    x.entries.clear();
  }
  if (x.to == options_.self)
    finish_apply_read(x);
  else if (auto* leading = as<leader_role>())
    if (auto* peer = leading->peers.find(x.to))
      finish_peer_read(*peer, x);
}

void core::finish_apply_read(log_read_done& x) {
  CAUCUS_ASSERT(x.first == apply_.next()); // Nothing else hands out while it is under way.
  apply_.set_read_failed(x.entries.empty());
  if (x.entries.empty())
    wake(); // Only a tick asks again.
  read_to_apply_ = std::move(x.entries);
}

void core::finish_peer_read(progress& peer, log_read_done& x) {
  peer.is_read_failed = x.entries.empty();
  // The peer's position may have changed since; then what it needs now is read instead.
  if (x.entries.empty() || peer.state != progress_state::replicate || peer.next != x.first
      || !has_entries_to_send(peer))
    return;
  uint64_t bytes = 0;
  for (const auto& e : x.entries)
    bytes += e->cost();
  send_append(peer, std::move(x.entries), bytes, out_);
}

} // namespace caucus::raft
