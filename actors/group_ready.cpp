// The other half of group_replica: what a ready asks for, done, and what ticks it needs.

#include "actors/group_replica.hpp"

#include "base/assert.hpp"

namespace caucus {

void group_replica::flush() {
  inputs_ = 0;
  input_bytes_ = 0;
  if (!fault_ && how_.core.has_ready()) {
    now_ = now();
    auto todo = how_.core.take_ready(now_);
    execute(todo);
  }
  note_needs();
}

void group_replica::execute(raft::ready& todo) {
  auto group = how_.descriptor.group;
  for (auto& changed : todo.soft_changes)
    announce(
      changed); // Before anything is sent: the event log's line precedes the deeds of a leader.
  if (todo.configuration)
    announce_members();
  if (todo.restore) {
    CAUCUS_ASSERT(todo.persist && todo.persist->snapshot);
    restore(*todo.restore, todo.persist->seq);
  }
  if (todo.persist) {
    for (const auto& appended : todo.persist->entries)
      snapshots_.schedule.count(*appended);
    send(node_->wal, wal_append{group, *std::move(todo.persist), replica_actor{this}});
    make_snapshot_if_due();
  }
  if (!todo.messages.empty())
    send(node_->sender, transport_send{group, std::move(todo.messages)});
  if (!todo.heartbeats.empty())
    send(node_->pulse, pulse_heartbeats{group, std::move(todo.heartbeats)});
  if (!todo.heartbeat_replies.empty())
    send_replies(todo.heartbeat_replies);
  for (auto& read : todo.reads)
    send(node_->reader, log_read_request{group, read, replica_actor{this}});
  for (auto& wanted : todo.snapshots_wanted)
    send_snapshot(wanted);
  settle(todo);
  if (!todo.committed.empty())
    apply(std::move(todo.committed));
  answer_queries();
}

void group_replica::announce_members() {
  auto core = how_.core.describe();
  members_ = core.members;
  send(node_->supervisor, node_members{how_.descriptor.group, std::move(core.members),
                                       std::move(core.committed_members)});
}

void group_replica::announce(const raft::soft_state& changed) {
  if (changed.role != soft_.role || changed.term != soft_.term)
    node_->events->role_changed(how_.descriptor.name, changed);
  if (changed.leader != soft_.leader)
    is_leader_lost_ = false;
  soft_ = changed;
  publish(changed.term, changed.leader);
}

void group_replica::publish(term_t term, node_id leader) {
  if (term.value() == published_.term && leader.value() == published_.leader)
    return;
  published_.term = term.value();
  published_.leader = leader.value();
  node_->log().info("group=" + published_.group
                    + " node=" + std::to_string(node_->options.id.value())
                    + " event=leader_changed term=" + std::to_string(published_.term)
                    + " leader=" + std::to_string(published_.leader));
  for (auto& listener : listeners_)
    caf::actor_cast<caf::abstract_actor*>(listener)->enqueue(
      caf::make_mailbox_element(how_.handle, caf::make_message_id(), {}, published_), nullptr);
}

void group_replica::settle(const raft::ready& todo) {
  for (auto& found : todo.accepted)
    pending_.place(found.request, found.place, handed_out_);
  for (auto& refused : todo.refused) {
    auto result = refusal(refused.reason, refused.detail);
    result.leader = refused.leader.value();
    if (refused.reason == errc::invalid_target)
      result.detail = "leadership goes to another voter, and only if one is fit for it";
    if (pending_queries::is_query(refused.request))
      queries_.refuse(refused.request, result);
    else
      pending_.answer(refused.request, std::move(result));
  }
  for (auto& handed_over : todo.transferred)
    pending_.answer(handed_over.request, {.kind = outcome_kind::committed,
                                          .term = soft_.term.value(),
                                          .leader = handed_over.leader.value()});
  for (auto& read : todo.reads_ready)
    queries_.set_ready(read.request, read.index);
  if (todo.left_after) {
    pending_.abandon_after(*todo.left_after);
    queries_.refuse_after(*todo.left_after);
  }
}

void group_replica::apply(std::vector<raft::entry_ptr> committed) {
  auto work = std::make_shared<machine_work>();
  for (auto& next : committed) {
    unacknowledged_bytes_ += next->cost();
    if (auto who = pending_.settle(next->id))
      work->callers.push_back({next->id.index, *std::move(who)});
  }
  // The core limits what is under way to `apply_bytes_max`. Four acknowledgements in that many
  // bytes keep it going; one for every batch would wake this thread for nothing.
  if (unacknowledged_bytes_ >= node_->options.apply_bytes_max / 4) {
    work->must_acknowledge = true;
    unacknowledged_bytes_ = 0;
  }
  handed_out_ = committed.back()->id.index;
  work->entries = std::move(committed);
  send(machine(), machine_apply{std::move(work)});
}

/// A group sleeps only once its leader knows that all is executed, and what is executed may leave
/// memory: the machine tells the rest of a burst when it is asked for it, once a tick.
void group_replica::acknowledge_applied() {
  if (unacknowledged_bytes_ == 0 || fault_)
    return;
  unacknowledged_bytes_ = 0;
  auto work = std::make_shared<machine_work>();
  work->must_acknowledge = true;
  send(machine(), machine_apply{std::move(work)});
}

void group_replica::note_needs() {
  const bool has_waiting = !pending_.is_empty() || !queries_.is_empty() || unacknowledged_bytes_ > 0
                           || snapshots_.marking || snapshots_.schedule.is_wanted()
                           || !asked_asleep_.empty();
  const tick_roster::needs now{.core = !how_.core.is_asleep() && !fault_,
                               .leader = soft_.leader == node_id{} || is_leader_lost_,
                               .is_expected = has_waiting && !fault_};
  if (now != told_needs_)
    node_->ticks.tell(how_.descriptor.group, ticks_, now);
  told_needs_ = now;
}

void group_replica::send_replies(const std::vector<raft::heartbeat_out>& replies) {
  std::vector<raft::envelope> messages;
  messages.reserve(replies.size());
  for (auto& reply : replies)
    messages.push_back(
      {reply.to, raft::heartbeat_reply{reply.term, reply.context, reply.promise_ns}});
  send(node_->sender, transport_send{how_.descriptor.group, std::move(messages)});
}

machine_actor& group_replica::machine() {
  if (!machine_) {
    machine_ = how_.spawn_machine(replica_actor{this}, how_.recovered_last);
    monitor(machine_);
    if (const auto from = std::exchange(how_.loaded, std::nullopt))
      load_snapshot(*from);
  }
  return machine_;
}

} // namespace caucus
