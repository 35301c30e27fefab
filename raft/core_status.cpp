#include "raft/core_status.hpp"

#include "raft/core.hpp"

namespace caucus::raft {

std::string_view to_string(role x) noexcept {
  switch (x) {
    case role::follower: return "follower";
    case role::pre_candidate: return "pre_candidate";
    case role::candidate: return "candidate";
    case role::leader: return "leader";
  }
  return "?";
}

std::string_view to_string(progress_state x) noexcept {
  switch (x) {
    case progress_state::probe: return "probe";
    case progress_state::replicate: return "replicate";
    case progress_state::snapshot: return "snapshot";
  }
  return "?";
}

core_status core::describe() const {
  core_status out{.self = options_.self,
                  .term = term_,
                  .voted_for = voted_for_,
                  .role = role(),
                  .leader = leader_,
                  .commit = commit_,
                  .applied = apply_.applied(),
                  .persisted = log_.persisted(),
                  .first = log_.before().index + 1,
                  .last = log_.last(),
                  .tail_bytes = log_.tail_bytes(),
                  .waiting_reads = waiting_reads(),
                  .is_asleep = is_asleep_,
                  .members = configurations_.latest().members,
                  .configuration_id = configurations_.latest().id,
                  .committed_members = configurations_.as_of(commit_).members,
                  .removed_by = is_removed() ? told_removed_by_ : index_t{},
                  .is_outsider = is_outsider(),
                  .noise = noise_};
  if (const auto* following = as<follower_role>())
    out.forwarded = following->forwarded.size();
  if (const auto* leading = as<leader_role>()) {
    out.uncommitted_bytes = leading->proposed.bytes();
    for (const auto& x : leading->peers)
      out.peers.push_back({.id = x.id,
                           .match = x.match,
                           .next = x.next,
                           .state = x.state,
                           .inflight_messages = static_cast<uint32_t>(x.window.messages()),
                           .inflight_bytes = x.window.bytes(),
                           .is_paused = x.is_paused,
                           .is_active = x.is_active,
                           .answered_lately = x.answered_lately(),
                           .is_leaving = x.leaves_at != index_t{}});
  }
  return out;
}

} // namespace caucus::raft
