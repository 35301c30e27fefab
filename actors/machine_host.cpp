#include "actors/machine_host.hpp"

#include "actors/thrown.hpp"
#include "actors/wake_bundle.hpp"

namespace caucus {

machine_host::machine_host(caf::actor_config& cfg, caf::execution_unit* home, setup how)
  : on_worker{cfg, home},
    how_{std::move(how)},
    kept_{how_.machine->applied_index()},
    sessions_{kept_ ? raft::session_table::replies::may_be_lost
                    : raft::session_table::replies::kept} {}

machine_actor::behavior_type machine_host::make_behavior() {
  return {
    [this](machine_apply& batch) {
      auto is_done = guarded([&] {
        apply_all(*batch.work);
        if (batch.work->must_acknowledge)
          send(how_.replica, group_applied{applied_});
      });
      if (!is_done)
        for (auto& waiting : batch.work->callers)
          waiting.who.answer(refusal(errc::node_stopped, "the state machine failed"));
    },
    [this](machine_query& asked) { answer(asked); },
    [this](machine_status& asked) { guarded([&] { tell_status(asked); }); },
    [this](machine_take_view) { take_view(); },
    [this](const machine_restore& from) {
      guarded([&] {
        if (auto loaded = load(from); !loaded)
          fail({loaded.reason().code, "loading the snapshot that ends at "
                                        + std::to_string(from.index.value()) + ": "
                                        + loaded.reason().what});
        else
          send(how_.replica, group_applied{applied_});
      });
    },
    [this](machine_stop) { quit(); },
  };
}

template <class F>
bool machine_host::guarded(F&& work) {
  try {
    work();
    return true;
  } catch (...) {
    fail({errc::machine_failed, "the state machine threw after index "
                                  + std::to_string(applied_.value()) + ": " + describe_thrown()});
  }
  return false;
}

// The state may be half changed: no further command may see it.
void machine_host::fail(error reason) {
  send(how_.replica, group_fault{std::move(reason)});
  quit();
}

void machine_host::on_exit() {
  how_.machine.reset();
  how_.replica = nullptr;
}

void machine_host::apply_all(machine_work& batch) {
  // Declared outside the loop: at a throw, too, those who have their answer are woken.
  std::optional<wake_bundle> wakes;
  if (home())
    wakes.emplace(system());
  auto waiting = batch.callers.begin();
  for (auto& next : batch.entries) {
    auto result = apply(*next);
    applied_ = next->id.index;
    wall_ns_ = next->wall_ns;
    while (waiting != batch.callers.end() && waiting->index <= applied_) {
      if (waiting->index == applied_)
        waiting->who.answer(std::move(result), wakes ? &*wakes : nullptr);
      ++waiting;
    }
    if (wakes)
      wakes->hand_over_if_late();
  }
}

outcome machine_host::apply(const raft::entry& next) {
  using verdict = enum raft::session_verdict::kind;
  outcome result{
    .kind = outcome_kind::committed, .index = next.id.index.value(), .term = next.id.term.value()};
  auto judged = sessions_.judge(next);
  switch (judged.kind) {
    case verdict::nothing:
    case verdict::closed: return result;
    case verdict::opened: result.session = judged.session.value(); return result;
    case verdict::execute: return execute(next);
    case verdict::refuse:
      result.kind = outcome_kind::not_executed;
      result.reason = judged.reason;
      result.expected = judged.expected.value();
      return result;
    case verdict::answer: break;
  }
  if (judged.outcome.code == errc::none) {
    result.reply = judged.outcome.reply;
    return result;
  }
  return refusal(judged.outcome.code, std::string{judged.outcome.reply.view()});
}

outcome machine_host::execute(const raft::entry& next) {
  outcome result{
    .kind = outcome_kind::committed, .index = next.id.index.value(), .term = next.id.term.value()};
  if (kept_ && next.id.index <= *kept_) {
    // The sessions live through every entry; the machine is ahead of the replay.
    sessions_.record(next, {errc::reply_lost, {}});
    return refusal(errc::reply_lost);
  }
  apply_context context{next.id.index, next.id.term, next.wall_ns,
                        next.id.index <= how_.replay_until};
  auto replied = how_.machine->apply(context, next.body.payload);
  if (replied) {
    result.reply = *replied;
    sessions_.record(next, {errc::none, *std::move(replied)});
  } else {
    result.kind = outcome_kind::not_executed;
    result.reason = errc::rejected_by_machine;
    result.detail = replied.reason().what;
    sessions_.record(next, {errc::rejected_by_machine, shared_bytes::copy_of(result.detail)});
  }
  return result;
}

index_t machine_host::seen() const { return std::max(applied_, kept_.value_or(index_t{})); }

void machine_host::answer(machine_query& asked) {
  try {
    auto told = how_.machine->query(asked.question);
    if (told)
      asked.who->answer(
        {.kind = outcome_kind::committed, .index = seen().value(), .reply = *std::move(told)});
    else
      asked.who->answer(refusal(errc::rejected_by_machine, told.reason().what));
  } catch (...) { // It changed nothing: only its asker is concerned.
    asked.who->answer(refusal(errc::rejected_by_machine, "the query threw: " + describe_thrown()));
  }
}

void machine_host::tell_status(machine_status& asked) {
  asked.asked->answer(seen().value(), how_.machine->digest(), how_.machine->describe());
}

// It changes nothing, so a failure concerns the snapshot alone.
void machine_host::take_view() {
  group_view view{applied_, wall_ns_, std::shared_ptr<const machine_image>{}};
  try {
    if (kept_ && *kept_ > applied_) // Its state is of an index that the session table hasn't seen.
      view.image = error{errc::machine_failed, "the machine is still ahead of the replay"};
    else if (auto state = how_.machine->take_view())
      view.image = std::make_shared<const machine_image>(sessions_.save(), std::move(state));
  } catch (...) {
    view.image = error{errc::machine_failed, "taking a view threw: " + describe_thrown()};
  }
  send(how_.replica, std::move(view));
}

result<void> machine_host::load(const machine_restore& from) {
  auto source = from.open();
  if (!source)
    return std::move(source).reason();
  const auto rule =
    kept_ ? raft::session_table::replies::may_be_lost : raft::session_table::replies::kept;
  auto sessions = read_sessions(**source, rule);
  if (!sessions)
    return std::move(sessions).reason();
  if (sessions->applied() != from.index)
    return error{errc::malformed,
                 "its sessions end at " + std::to_string(sessions->applied().value())};
  sessions_ = *std::move(sessions);
  applied_ = from.index;
  wall_ns_ = from.wall_ns;
  if (kept_ && *kept_ >= from.index) // What it has itself is newer (ADR 0010).
    return {};
  if (auto restored = how_.machine->restore(**source); !restored)
    return restored;
  std::byte beyond{};
  auto left = (*source)->read({&beyond, 1});
  if (!left)
    return std::move(left).reason();
  if (*left != 0)
    return error{errc::malformed, "the machine has not read it to its end"};
  return {};
}

} // namespace caucus
