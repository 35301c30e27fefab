#include "raft/tracker.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace caucus::raft {

void progress::become_probe(index_t from) {
  CAUCUS_ASSERT(from > match); // RELIABILITY S-25.
  state = progress_state::probe;
  next = from;
  is_paused = false;
  is_nudge_due = false;
  window.clear();
}

void progress::become_replicate() {
  state = progress_state::replicate;
  next = match + 1;
  is_paused = false;
  is_nudge_due = false;
  window.clear();
}

void progress::become_snapshot() {
  state = progress_state::snapshot;
  is_paused = false;
  is_nudge_due = false;
  window.clear();
}

bool progress::acknowledge(index_t index) {
  window.free_to(index);
  next = std::max(next, index + 1);
  if (index <= match) // Late or twice: never backwards (RELIABILITY S-24).
    return false;
  match = index;
  return true;
}

tracker::tracker(const membership::configuration& members, node_id self, index_t next) {
  CAUCUS_ASSERT(next > index_t{});
  for (auto id : members.members()) {
    if (id == self)
      continue;
    peers_.emplace_back();
    peers_.back().id = id;
    peers_.back().next = next;
  }
}

void tracker::follow(const membership::configuration& members, node_id self, index_t id) {
  CAUCUS_ASSERT(id > index_t{});
  // Who comes back may have lost its disk meanwhile: what it had proves nothing (M-10).
  std::erase_if(
    peers_, [&](auto& peer) { return peer.leaves_at != index_t{} && members.is_member(peer.id); });
  for (auto& peer : peers_)
    if (peer.leaves_at == index_t{} && !members.is_member(peer.id)) {
      peer.leaves_at = id;
      peer.commit_due = std::max(peer.commit_due, id); // Told at once.
    }
  for (auto member : members.members()) {
    if (member == self || find(member) != nullptr)
      continue;
    auto& peer = peers_.emplace_back();
    peer.id = member;
    peer.next = id; // The configuration is the first that it is sent, or asked about.
  }
  std::sort(peers_.begin(), peers_.end(), [](auto& x, auto& y) { return x.id < y.id; });
}

progress* tracker::find(node_id id) noexcept {
  auto i = std::find_if(peers_.begin(), peers_.end(), [id](auto& x) { return x.id == id; });
  return i == peers_.end() ? nullptr : &*i;
}

const progress* tracker::find(node_id id) const noexcept {
  return const_cast<tracker*>(this)->find(id);
}

} // namespace caucus::raft
