#pragma once

#include "membership/configuration.hpp"
#include "raft/core_status.hpp"
#include "raft/inflights.hpp"

#include <vector>

namespace caucus::raft {

/// The leader's view of one peer. Made anew at each election: what an older leadership learned
/// proves nothing to this one.
///
///     probe ──(the probe is accepted)──► replicate ◄──(it has what a snapshot brings)── snapshot
///       ▲                                   │                                              ▲
///       └──(a refusal, or the link failed)──┘        (what it needs next was compacted)────┘
///
/// Probing, one append is under way until it is answered, or a heartbeat is; `next` stays until
/// then. Replicating, `next` runs ahead of the answers as far as the window allows. While it waits
/// for a snapshot, an empty append goes with each heartbeat's answer, to the first place that is
/// left of our log: whoever brought it what it lacked, and whatever report was lost, it will match.
struct progress {
  node_id id;
  index_t match;   ///< Highest index known to be durable there and equal to ours; never descends.
  index_t next{1}; ///< First index not sent yet. Invariant: match < next.
  index_t sent;    ///< Highest index that any append vouched for: an answer can't go beyond.
  progress_state state = progress_state::probe;
  bool is_paused = false;         ///< Probing: the probe is under way.
  bool is_active = false;         ///< Heard from within this check-quorum round.
  bool was_active = false;        ///< In the round before it.
  bool was_silent = false;        ///< It let that round pass; neither: it had no whole one yet.
  bool is_heard_awake = false;    ///< Since the leader woke, or was elected.
  bool is_unreachable = false;    ///< Its link failed, and it hasn't been heard since.
  bool is_nudge_due = false;      ///< Replicating: ask whether what was sent has arrived.
  bool is_read_failed = false;    ///< The last log read brought nothing; wait before the next.
  index_t commit_due;             ///< A commit that reaches it is told at once: the peer has a
                                  ///< client waiting there, who forwarded this entry.
  index_t commit_told;            ///< The commit index of the last append.
  uint8_t priority = 0;           ///< Its own, to lead; 0 also until it has told.
  uint64_t snapshot_due_tick = 0; ///< From then on another snapshot may be asked for.
  read_context echoed;            ///< The newest round of heartbeats that it answered.
  read_context promised;          ///< The newest in whose answer it promised what a lease needs.
  inflights window;               ///< Replicating: appends that were not answered.
  index_t leaves_at;              ///< The configuration that removed it; 0: it is a member.
  uint32_t leaving_ticks = 0;     ///< Since that was committed.

  /// In this check-quorum round or the one before: so a round's end makes nobody silent.
  [[nodiscard]] bool answered_lately() const noexcept { return is_active || was_active; }
  /// Alive for all that is known: whom to count on.
  [[nodiscard]] bool is_in_touch() const noexcept { return answered_lately() && !is_unreachable; }
  void note_heard() noexcept {
    is_active = true;
    is_heard_awake = true;
    is_unreachable = false;
  }
  void become_probe(index_t from);
  void become_replicate();
  void become_snapshot();
  /// The peer holds everything up to `index`. @returns whether that is news.
  bool acknowledge(index_t index);
};

/// The leader's view of all its peers, learners and leaving ones too.
class tracker {
public:
  /// Precondition: `next` > 0: one past the leader's last entry.
  tracker(const membership::configuration& members, node_id self, index_t next);

  /// The configuration of the entry at `id` is in force: its members join, the others begin to
  /// leave but are still told, so that they hear of it. Invalidates what `find` gave.
  void follow(const membership::configuration& members, node_id self, index_t id);
  /// Forgets those that leave and for whom `is_done`.
  template <class IsDone>
  void drop_leaving(IsDone&& is_done) {
    std::erase_if(peers_, [&](progress& x) { return x.leaves_at != index_t{} && is_done(x); });
  }

  /// Null for a node that is no peer. Valid until members change.
  [[nodiscard]] progress* find(node_id id) noexcept;
  [[nodiscard]] const progress* find(node_id id) const noexcept;

  [[nodiscard]] auto begin() noexcept { return peers_.begin(); }
  [[nodiscard]] auto end() noexcept { return peers_.end(); }
  [[nodiscard]] auto begin() const noexcept { return peers_.begin(); }
  [[nodiscard]] auto end() const noexcept { return peers_.end(); }

private:
  std::vector<progress> peers_; ///< Ascending by id.
};

} // namespace caucus::raft
