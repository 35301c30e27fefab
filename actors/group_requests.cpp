// The requests to group_replica that aren't commands: queries, and what operators ask for.

#include "actors/group_replica.hpp"

#include <limits>

namespace caucus {

namespace {

raft::consistency to_core(freshness how) {
  switch (how) {
    case freshness::lease: return raft::consistency::lease;
    case freshness::stale: return raft::consistency::stale;
    case freshness::linearizable: break;
  }
  return raft::consistency::linearizable; // Also what a newer client may have meant.
}

result<membership::member_change> to_core(const member_change& asked) {
  using kind = enum membership::member_change::kind;
  membership::member_change change{.node = node_id{asked.node}};
  switch (asked.kind) {
    case member_change_kind::add:
    case member_change_kind::promote: change.kind = kind::make_staging; break;
    case member_change_kind::add_learner:
    case member_change_kind::demote: change.kind = kind::make_learner; break;
    case member_change_kind::remove: change.kind = kind::remove; break;
    case member_change_kind::update: change.kind = kind::update; break;
  }
  if (!asked.address.empty()) {
    auto address = parse_endpoint(asked.address);
    if (!address)
      return address.reason();
    change.address = *std::move(address);
  }
  return change;
}

std::string role_of(const membership::configuration& members, node_id id) {
  if (members.voters.contains(id))
    return "voter";
  if (members.outgoing.contains(id))
    return "leaving"; // Votes until the joint phase ends.
  return members.staging.contains(id) ? "staging" : "learner";
}

} // namespace

void group_replica::on_query(query& asked) {
  auto who = single_caller(asked.payload.size());
  if (fault_) {
    who.answer(refusal_of_quarantined(fault_->what));
    return;
  }
  refresh_now();
  auto request =
    queries_.add({std::move(who), deadline_after(asked.timeout_ms), std::move(asked.payload)});
  step(raft::read{request, to_core(asked.how)});
}

void group_replica::on_change_members(const change_members& asked) {
  auto who = single_caller(0);
  membership::change_request change;
  if (asked.expected_configuration)
    change.expected_id = index_t{*asked.expected_configuration};
  for (auto& one : asked.changes) {
    auto translated = to_core(one);
    if (!translated) {
      who.answer(refusal(errc::invalid_change,
                         "node " + std::to_string(one.node) + ": " + translated.reason().what));
      return;
    }
    change.changes.push_back(*std::move(translated));
  }
  refresh_now();
  if (auto request = admit({std::move(who), deadline_after(asked.timeout_ms)}))
    ask_awake(raft::propose_change{*request, std::move(change)});
}

void group_replica::on_transfer(const transfer_leadership& asked) {
  if (auto core = how_.core.describe();
      core.role == raft::role::leader && asked.target == core.self.value() && !fault_) {
    single_caller(0).answer({.kind = outcome_kind::committed,
                             .term = core.term.value(),
                             .leader = core.self.value(),
                             .detail = "it leads already"});
    return;
  }
  refresh_now();
  if (auto request = admit({single_caller(0), deadline_after(asked.timeout_ms)}))
    step(raft::transfer{*request, node_id{asked.target}});
}

void group_replica::on_step_down(const step_down& asked) {
  refresh_now();
  if (auto request = admit({single_caller(0), deadline_after(asked.timeout_ms)}))
    step(raft::step_down{*request});
}

void group_replica::on_members() {
  auto reply = reply_address::of(*current_mailbox_element(), how_.handle);
  auto core = how_.core.describe();
  group_members told{.node = core.self.value(),
                     .term = core.term.value(),
                     .is_member = !core.is_outsider && core.members->is_member(core.self),
                     .is_leader = core.role == raft::role::leader && !fault_,
                     .fault = fault_ ? to_string(*fault_) : "",
                     .configuration = core.configuration_id.value(),
                     .is_joint = core.members->is_joint(),
                     .leader = fault_ ? 0 : core.leader.value()};
  for (auto id : core.members->members()) {
    member_info one{.node = id.value(), .role = role_of(*core.members, id)};
    if (auto address = core.members->addresses.find(id); address != core.members->addresses.end())
      one.address = to_string(address->second);
    if (id == core.self && told.is_leader) {
      one.match = core.persisted.value();
      one.is_active = true;
    }
    for (auto& peer : core.peers)
      if (peer.id == id) {
        one.match = peer.match.value();
        one.is_active = peer.answered_lately;
      }
    told.members.push_back(std::move(one));
  }
  reply.deliver(std::move(told));
}

void group_replica::answer_queries() {
  for (auto& due : queries_.take_due(handed_out_))
    send(machine(), std::move(due));
}

} // namespace caucus
