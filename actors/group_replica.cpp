#include "actors/group_replica.hpp"

#include "actors/thrown.hpp"

#include <caf/actor_clock.hpp>

namespace caucus {

namespace {

/// No caller means to wait longer; more would overflow the clock.
constexpr uint64_t timeout_ms_max = uint64_t{366} * 24 * 3600 * 1000;

/// A ready is taken after so many inputs or bytes even if more are queued: it bounds the batch.
constexpr uint32_t inputs_per_ready = 512;
constexpr uint64_t bytes_per_ready = 1 << 20;

snapshot_schedule::limits limits_of(const node_options& from) {
  return {.log_bytes = from.snapshot_log_bytes,
          .entries = from.snapshot_entries,
          .interval_ns = static_cast<int64_t>(from.snapshot_interval_ms) * 1'000'000};
}

} // namespace

group_replica::group_replica(caf::actor_config& cfg, caf::execution_unit* home, setup how,
                             node_context_ptr node)
  : on_worker{cfg, home},
    how_{std::move(how)},
    node_{std::move(node)},
    snapshots_{.kept = std::move(how_.snapshots),
               .schedule = snapshot_schedule{limits_of(node_->options)}} {
  published_.group = how_.descriptor.name;
  if (how_.loaded)
    handed_out_ = how_.loaded->at.last.index;
}

replica_actor::behavior_type group_replica::make_behavior() {
  set_down_handler([this](caf::down_msg& down) {
    if (machine_ && down.source == machine_.address())
      quarantine({errc::machine_failed, "the machine's actor died: " + to_string(down.reason)});
    else
      std::erase_if(listeners_, [&](auto& x) { return x.address() == down.source; });
  });
  // The last resort, where `guarded` isn't: whoever waits is answered, and the supervisor hears
  // why.
  set_exception_handler([](std::exception_ptr& thrown) -> caf::error {
    try {
      std::rethrow_exception(thrown);
    } catch (...) {
      return caf::make_error(caf::sec::runtime_error, describe_thrown());
    }
  });
  if (how_.is_new) // FIFO puts it into the log before this replica's first vote.
    send(node_->wal, wal_describe{how_.descriptor});
  announce_members();
  ticks_ = node_->ticks.enter(how_.descriptor.group, node_->options.id, replica_actor{this});
  guarded([this] { flush(); });
  return {
    // First what comes most often: CAF tries one after the other.
    [this](group_received& batch) { guarded([&] { on_received(batch); }); },
    [this](group_flush) {
      is_armed_ = false;
      guarded([&] { flush(); });
    },
    [this](group_tick x) {
      ticks_->take_tick();
      guarded([&] { on_tick(x.counts); });
    },
    [this](command& asked) -> caf::result<outcome> {
      auto who = single_caller(asked.payload.size());
      guarded([&] { on_command(asked, std::move(who)); });
      return caf::delegated<outcome>{};
    },
    [this](command_batch& asked) -> caf::result<std::vector<outcome>> {
      guarded([&] { on_command_batch(asked); });
      return caf::delegated<std::vector<outcome>>{};
    },
    [this](const open_session& asked) -> caf::result<outcome> {
      guarded([&] { on_open_session(asked); });
      return caf::delegated<outcome>{};
    },
    [this](const close_session& asked) -> caf::result<outcome> {
      guarded([&] { propose_session_command(session_id{asked.session}, raft::close_session{}); });
      return caf::delegated<outcome>{};
    },
    [this](const cancel& asked) {
      how_.room->give_question_back();
      guarded([&] { pending_.cancel(current_sender(), asked.session, asked.sequence); });
    },
    [this](query& asked) -> caf::result<outcome> {
      guarded([&] { on_query(asked); });
      return caf::delegated<outcome>{};
    },
    [this](const change_members& asked) -> caf::result<outcome> {
      guarded([&] { on_change_members(asked); });
      return caf::delegated<outcome>{};
    },
    [this](const transfer_leadership& asked) -> caf::result<outcome> {
      guarded([&] { on_transfer(asked); });
      return caf::delegated<outcome>{};
    },
    [this](const step_down& asked) -> caf::result<outcome> {
      guarded([&] { on_step_down(asked); });
      return caf::delegated<outcome>{};
    },
    [this](const take_snapshot&) -> caf::result<outcome> {
      guarded([&] { on_make_snapshot(single_caller(0)); });
      return caf::delegated<outcome>{};
    },
    [this](const read_snapshot& asked) -> caf::result<outcome> {
      guarded([&] { on_read_snapshot(asked, single_caller(snapshot_read_bytes_max)); });
      return caf::delegated<outcome>{};
    },
    [this](members_request) -> caf::result<group_members> {
      how_.room->give_question_back();
      guarded([&] { on_members(); });
      return caf::delegated<group_members>{};
    },
    [this](status_request) -> caf::result<group_status> {
      on_status();
      return caf::delegated<group_status>{};
    },
    [this](const leader_listener& listener) {
      how_.room->give_question_back();
      guarded([&] { on_listener(listener); });
    },
    [this](const group_persisted& x) {
      guarded([&] {
        step(raft::persisted{x.upto});
        snapshots_.persisted = x.upto;
        forget_superseded();
      });
    },
    [this](const group_applied& x) {
      guarded([&] {
        step(raft::applied{x.upto});
        snapshots_.applied = x.upto;
        forget_superseded();
      });
    },
    [this](group_log_read& x) { guarded([&] { step(std::move(x.done)); }); },
    [this](const group_peer_down& x) { guarded([&] { on_peer_down(x.peer); }); },
    [this](const group_view& x) { guarded([&] { on_view(x); }); },
    [this](const group_snapshot_made& x) { guarded([&] { on_snapshot_made(x); }); },
    [this](const group_snapshot_received& x) { guarded([&] { on_snapshot_received(x); }); },
    [this](const group_snapshot_sent& x) {
      guarded([&] { step(raft::snapshot_sent{x.to, x.ok}); });
    },
    [this](const group_snapshot_damaged& x) { guarded([&] { on_snapshot_damaged(x); }); },
    [this](const group_marked& x) { guarded([&] { on_marked(x.last); }); },
    [this](const group_make_snapshot& x) {
      guarded([&] {
        // Else the next one will let them go; but a full disk has no next one.
        if (x.last > snapshots_.newest().index || !node_->room.is_there())
          make_snapshot();
      });
    },
    [this](const group_fault& x) {
      quarantine(x.reason);
      if (x.reason.code == errc::node_stopped)
        quit();
    },
  };
}

void group_replica::on_exit() {
  pending_.answer_all(refusal(errc::node_stopped));
  queries_.answer_all(refusal(errc::stopping));
  end_snapshot(refusal(errc::stopping));
  how_.room->close();
  if (ticks_)
    node_->ticks.leave(how_.descriptor.group, ticks_);
  if (machine_)
    send(machine_, machine_stop{});
  how_.handle = nullptr;
  how_.spawn_machine = nullptr;
  machine_ = nullptr;
  listeners_.clear();
}

template <class F>
void group_replica::guarded(F&& work) {
  try {
    work();
  } catch (...) {
    quarantine({errc::invariant_violated, describe_thrown()});
  }
}

instant group_replica::now() const {
  auto mono = const_cast<group_replica*>(this)->clock().now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(mono).count(),
          node_->environment->wall_clock_ns()};
}

void group_replica::step(raft::input in) {
  if (fault_)
    return;
  if (inputs_ == 0)
    now_ = now();
  how_.core.step(std::move(in), now_);
  if (++inputs_ >= inputs_per_ready || input_bytes_ >= bytes_per_ready) {
    flush();
  } else if (!is_armed_) {
    is_armed_ = true;
    send(this, group_flush{});
  }
}

caller group_replica::single_caller(uint64_t payload_bytes) {
  return {reply_address::of(*current_mailbox_element(), how_.handle), how_.room,
          payload_bytes + admission::overhead_bytes};
}

int64_t group_replica::deadline_after(uint64_t timeout_ms) const {
  auto patience = timeout_ms ? timeout_ms : node_->options.proposal_timeout_ms;
  return now_.mono_ns + static_cast<int64_t>(std::min(patience, timeout_ms_max)) * 1'000'000;
}

void group_replica::refresh_now() {
  if (inputs_ == 0)
    now_ = now();
}

std::optional<request_id> group_replica::admit(pending_proposals::proposal who) {
  if (!fault_)
    return pending_.add(std::move(who));
  who.who.answer(refusal_of_quarantined(fault_->what));
  return std::nullopt;
}

void group_replica::propose(raft::command body, pending_proposals::proposal who) {
  input_bytes_ += body.payload.size();
  if (auto request = admit(std::move(who)))
    step(raft::propose{*request, std::move(body)});
}

void group_replica::on_command(command& asked, caller who) {
  refresh_now();
  propose({raft::entry_kind::command, session_id{asked.session}, sequence_t{asked.sequence},
           sequence_t{asked.lowest_unanswered}, std::move(asked.payload)},
          {std::move(who), deadline_after(asked.timeout_ms), asked.session, asked.sequence});
}

void group_replica::on_command_batch(command_batch& asked) {
  auto& element = *current_mailbox_element();
  auto asker = element.sender;
  auto reply = reply_address::of(element, how_.handle);
  if (asked.commands.empty()) {
    reply.deliver(std::vector<outcome>{});
    return;
  }
  auto answer = std::make_shared<batch_answer>(std::move(reply), asked.commands.size());
  for (size_t i = 0; i < asked.commands.size(); ++i) {
    auto& one = asked.commands[i];
    caller who{answer, i, asker, how_.room, one.payload.size() + admission::overhead_bytes};
    on_command(one, std::move(who));
  }
}

void group_replica::on_open_session(const open_session& asked) {
  auto& options = node_->options;
  auto timeout_ms = asked.timeout_ms ? asked.timeout_ms : options.session_timeout_ms;
  propose_session_command(
    {}, raft::open_session{.timeout_ns =
                             static_cast<int64_t>(std::min(timeout_ms, timeout_ms_max)) * 1'000'000,
                           .sessions_max = static_cast<uint32_t>(options.sessions_max)});
}

void group_replica::propose_session_command(session_id session, const raft::session_command& what) {
  refresh_now();
  propose({raft::entry_kind::session, session, {}, {}, raft::encode(what)},
          {single_caller(0), deadline_after(0)});
}

void group_replica::on_received(group_received& batch) {
  if (batch.from == soft_.leader)
    is_leader_lost_ = false;
  for (auto& body : batch.messages) {
    if (auto* append = std::get_if<raft::append_entries>(&body))
      for (auto& entry : append->entries)
        input_bytes_ += entry->cost();
    bool is_change = false;
    if (auto* proposal = std::get_if<raft::forward_proposal>(&body)) {
      input_bytes_ += proposal->body.payload.size();
      is_change = proposal->body.kind == raft::entry_kind::configuration;
    }
    raft::received in{batch.from, std::move(body)};
    if (is_change)
      ask_awake(std::move(in));
    else
      step(std::move(in));
  }
}

void group_replica::on_peer_down(node_id peer) {
  // A peer of other groups only must not wake this one with every try to reach it.
  if (how_.core.is_asleep() && !members_->is_member(peer))
    return;
  is_leader_lost_ = is_leader_lost_ || peer == soft_.leader;
  step(raft::peer_unreachable{peer});
}

void group_replica::on_tick(bool counts) {
  if (const bool has_room = node_->room.is_there(); has_room != knew_room_) {
    knew_room_ = has_room;
    step(raft::storage{has_room});
  }
  for (auto& asked : std::exchange(asked_asleep_, {})) // The others have answered by now.
    step(std::move(asked));
  if (counts)
    step(raft::tick{});
  refresh_now();
  pending_.expire(now_.mono_ns);
  queries_.expire(now_.mono_ns);
  make_snapshot_if_due();
  answer_if_full();
  acknowledge_applied();
  flush(); // A tick gathers nothing behind it, and thousands of groups have one at a time.
}

void group_replica::ask_awake(raft::input change) {
  if (soft_.role != raft::role::leader || (!how_.core.is_asleep() && asked_asleep_.empty())) {
    step(std::move(change));
    return;
  }
  step(raft::peer_unreachable{node_->options.id}); // Of itself: it wakes, and nothing else.
  asked_asleep_.push_back(std::move(change));
}

void group_replica::on_status() {
  guarded([&] {
    if (!fault_)
      machine(); // The application's code makes it, perhaps only now.
  });
  auto core = how_.core.describe();
  group_status status{.group = how_.descriptor.name,
                      .node = core.self.value(),
                      .role = std::string{to_string(core.role)},
                      .term = core.term.value(),
                      .leader = core.leader.value(),
                      .commit = core.commit.value(),
                      .applied = core.applied.value(),
                      .persisted = core.persisted.value(),
                      .last = core.last.value(),
                      .snapshot = snapshots_.newest().index.value(),
                      .transfers = node_->transfers.of(how_.descriptor.group)};
  auto reply = reply_address::of(*current_mailbox_element(), how_.handle);
  if (fault_) {
    status.role = "quarantined";
    status.leader = 0;
    status.fault = to_string(*fault_);
    how_.room->give_question_back();
    reply.deliver(std::move(status));
    return;
  }
  send(machine_, machine_status{std::make_shared<pending_status>(std::move(status),
                                                                 std::move(reply), how_.room)});
}

void group_replica::on_listener(const leader_listener& listener) {
  if (!listeners_.insert(listener).second)
    return;
  monitor(listener);
  caf::actor_cast<caf::abstract_actor*>(listener)->enqueue(
    caf::make_mailbox_element(how_.handle, caf::make_message_id(), {}, published_), nullptr);
}

void group_replica::quarantine(error reason) {
  if (fault_)
    return;
  fault_ = std::move(reason);
  pending_.answer_all(refusal(errc::node_stopped, fault_->what));
  queries_.answer_all(refusal(errc::stopping, fault_->what));
  end_snapshot(refusal(errc::stopping, fault_->what));
  if (fault_->code != errc::node_stopped) {
    node_->log().error("group=" + how_.descriptor.name + " event=quarantined reason=\""
                       + to_string(*fault_) + "\"");
    publish(soft_.term, node_id{}); // It hears of no leader any more.
  }
  if (machine_)
    send(machine_, machine_stop{});
}

} // namespace caucus
