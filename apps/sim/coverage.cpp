#include "apps/sim/coverage.hpp"

#include "raft/core_status.hpp"

namespace caucus::sim {

namespace {

using std::string_view;

constexpr std::array<string_view, std::variant_size_v<raft::message>> message_names{
  "request_vote",  "vote_reply",      "append_entries",   "append_reply",
  "heartbeat",     "heartbeat_reply", "timeout_now",      "forward_proposal",
  "forward_reply", "read_index",      "read_index_reply", "quiesce"};
constexpr std::array<string_view, std::variant_size_v<raft::input>> input_names{
  "tick",     "received",      "propose",          "propose_change", "persisted",
  "applied",  "log_read_done", "peer_unreachable", "campaign",       "read",
  "transfer", "step_down",     "compact",          "snapshot_sent",  "snapshot_installed",
  "storage"};
constexpr std::array<string_view, change_step_count> step_names{
  "voter_added",   "learner_added",  "staging_added",   "learner_promoted", "staging_promoted",
  "voter_demoted", "member_removed", "address_changed", "simple",           "joint_entered",
  "joint_left",    "rolled_back",    "restored"};

constexpr std::array<string_view, damage_kinds> damage_names{
  "bit_rot", "misdirected_write", "lost_write", "file_rollback", "directory_rollback"};

/// Those that Raft knows (thesis Fig. 3.3, §9.6, §3.10).
constexpr std::array<std::pair<raft::role, raft::role>, 8> role_changes{{
  {raft::role::follower, raft::role::pre_candidate},
  {raft::role::follower, raft::role::candidate},
  {raft::role::pre_candidate, raft::role::follower},
  {raft::role::pre_candidate, raft::role::candidate},
  {raft::role::candidate, raft::role::follower},
  {raft::role::candidate, raft::role::pre_candidate},
  {raft::role::candidate, raft::role::leader},
  {raft::role::leader, raft::role::follower},
}};

template <size_t N>
void add_all(std::array<uint64_t, N>& to, const std::array<uint64_t, N>& x) noexcept {
  for (size_t i = 0; i < N; ++i)
    to[i] += x[i];
}

} // namespace

void coverage::steps_between(const membership::configuration& before,
                             const membership::configuration& after) {
  for (auto id : after.members()) {
    const bool was_there = before.is_member(id);
    const bool is_voter = after.voters.contains(id);
    if (!was_there)
      step(is_voter                     ? change_step::voter_added
           : after.staging.contains(id) ? change_step::staging_added
                                        : change_step::learner_added);
    else if (is_voter && before.staging.contains(id))
      step(change_step::staging_promoted);
    else if (is_voter && !before.is_voter(id))
      step(change_step::learner_promoted);
    else if (!is_voter && before.voters.contains(id) && !after.is_joint())
      step(change_step::voter_demoted);
    else if (after.learners_next.contains(id) && !before.learners_next.contains(id))
      step(change_step::voter_demoted);
    const auto old_address = before.addresses.find(id);
    const auto new_address = after.addresses.find(id);
    if (was_there && old_address != before.addresses.end() && new_address != after.addresses.end()
        && old_address->second != new_address->second)
      step(change_step::address_changed);
  }
  for (auto id : before.members())
    if (!after.is_member(id))
      step(change_step::member_removed);
  if (after.is_joint())
    step(change_step::joint_entered);
  else
    step(before.is_joint() ? change_step::joint_left : change_step::simple);
}

void coverage::add(const coverage& x) noexcept {
  add_all(messages_, x.messages_);
  add_all(inputs_, x.inputs_);
  add_all(roles_, x.roles_);
  add_all(steps_, x.steps_);
  add_all(damages_, x.damages_);
  has_lying_disks_ = has_lying_disks_ || x.has_lying_disks_;
}

template <class Visit>
void coverage::each(Visit&& visit) const {
  for (size_t i = 0; i < messages_.size(); ++i)
    visit("message " + std::string{message_names[i]}, messages_[i]);
  for (size_t i = 0; i < inputs_.size(); ++i)
    visit("input " + std::string{input_names[i]}, inputs_[i]);
  for (auto [from, to] : role_changes)
    visit("role " + std::string{raft::to_string(from)} + " -> " + std::string{raft::to_string(to)},
          roles_[static_cast<size_t>(from) * roles + static_cast<size_t>(to)]);
  for (size_t i = 0; i < steps_.size(); ++i)
    visit("configuration " + std::string{step_names[i]}, steps_[i]);
  for (size_t i = 0; i < damages_.size() && has_lying_disks_; ++i)
    visit("disk " + std::string{damage_names[i]}, damages_[i]);
}

std::string coverage::table() const {
  std::string out;
  each([&](const std::string& name, uint64_t count) {
    out += "  " + name + std::string(name.size() < 40 ? 40 - name.size() : 1, ' ')
           + std::to_string(count) + '\n';
  });
  return out;
}

std::string coverage::missing() const {
  std::string out;
  each([&](const std::string& name, uint64_t count) {
    if (count == 0)
      out += (out.empty() ? "" : ", ") + name;
  });
  return out;
}

} // namespace caucus::sim
