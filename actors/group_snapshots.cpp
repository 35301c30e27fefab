// The part of group_replica that concerns snapshots: when to make one, what to do with one that is
// there. Their bytes are the snapshotter's.

#include "actors/group_replica.hpp"

#include "base/assert.hpp"

namespace caucus {

using persistence::kept_snapshot;

// -- making ---------------------------------------------------------------------

void group_replica::on_make_snapshot(caller who) {
  if (fault_) {
    who.answer(refusal_of_quarantined(fault_->what));
    return;
  }
  snapshots_.callers.push_back(std::move(who));
  make_snapshot();
}

void group_replica::on_read_snapshot(const read_snapshot& asked, caller who) {
  if (fault_) {
    who.answer(refusal_of_quarantined(fault_->what));
    return;
  }
  snapshot_read what{
    .group = named_group(), .what = asked, .known = {}, .who = std::make_shared<caller>()};
  for (const auto& one : snapshots_.kept)
    if (one.at.last.index.value() == asked.index)
      what.known = one;
  *what.who = std::move(who);
  send(node_->snapshots, std::move(what));
}

snapshot_group group_replica::named_group() const {
  return {how_.descriptor.group, how_.descriptor.name};
}

void group_replica::make_snapshot_if_due() {
  if (!snapshots_.is_making && snapshots_.schedule.is_due(now_.mono_ns))
    make_snapshot();
}

/// While the disk is full nobody knows when the log will be told.
void group_replica::answer_if_full() {
  if (snapshots_.marking && !node_->room.is_there())
    for (auto& who : std::exchange(snapshots_.callers, {}))
      who.answer(refusal(errc::timeout, node_->room.why_not()));
}

void group_replica::make_snapshot() {
  if (fault_ || std::exchange(snapshots_.is_making, true))
    return;
  refresh_now();
  snapshots_.schedule.begin(now_.mono_ns);
  send(machine(), machine_take_view{});
}

void group_replica::on_view(const group_view& x) {
  if (fault_)
    return;
  if (!x.image) {
    end_snapshot(refusal(errc::snapshot_failed, x.image.reason().what));
    return;
  }
  if (!*x.image) {
    snapshots_.schedule.turn_off();
    end_snapshot(refusal(errc::snapshot_failed, "the machine has no snapshots"));
    return;
  }
  if (x.index <= snapshots_.newest().index) {
    end_snapshot(newest_snapshot());
    return;
  }
  step(raft::applied{x.index}); // The machine tells so only now and then; no more is compacted.
  auto at = how_.core.boundary_at(x.index);
  // Who joins learns the members from an entry. A group can't begin before that one (the log, and
  // the file, would be refused at the next start).
  if (at.members.members->voters.empty()) {
    end_snapshot(refusal(errc::snapshot_failed, "this node doesn't know the group's members yet"));
    return;
  }
  send(node_->snapshots,
       snapshot_make{{named_group(), std::move(at), x.wall_ns, *x.image}, replica_actor{this}});
}

void group_replica::on_snapshot_made(const group_snapshot_made& x) {
  const auto group = how_.descriptor.group;
  if (!x.made) {
    node_->log().warning("group=" + how_.descriptor.name + " event=snapshot_failed reason=\""
                         + to_string(x.made.reason()) + "\"");
    end_snapshot(refusal(errc::snapshot_failed, to_string(x.made.reason())));
    return;
  }
  auto made = x.made->snapshot;
  // A newer one was installed meanwhile: it stays (RELIABILITY N-09, S-52).
  if (fault_ || made.at.last.index <= snapshots_.newest().index) {
    if (made.at.last != snapshots_.newest())
      send(node_->snapshots, snapshot_forget{group, made.at.last});
    end_snapshot(refusal(errc::snapshot_failed, "a newer one was installed meanwhile"));
    return;
  }
  snapshots_.schedule.finish(x.made->bytes);
  snapshots_.newest_bytes = x.made->bytes;
  // The log stays back to the one before: if this one turns out to be damaged, that is the way.
  const auto begins_after =
    snapshots_.kept.empty() ? raft::snapshot_boundary{} : snapshots_.kept.front().at;
  send(node_->wal, wal_mark{group, {made, begins_after}, replica_actor{this}});
  made.bytes = {};
  snapshots_.marking = std::move(made);
}

void group_replica::on_marked(raft::entry_id last) {
  auto& marking = snapshots_.marking;
  if (fault_ || !marking || marking->at.last != last)
    return;
  auto made = *std::exchange(marking, std::nullopt);
  if (made.at.last.index <= snapshots_.newest().index)
    return end_snapshot(refusal(errc::snapshot_failed, "a newer one was installed meanwhile"));
  node_->log().info("group=" + how_.descriptor.name
                    + " node=" + std::to_string(node_->options.id.value())
                    + " event=snapshot_made index=" + std::to_string(last.index.value()));
  const auto compacted = snapshots_.newest().index;
  keep(std::move(made));
  end_snapshot(newest_snapshot());
  if (compacted != index_t{})
    step(raft::compact{compacted});
}

void group_replica::keep(kept_snapshot newest) {
  for (const auto& last : std::exchange(snapshots_.damaged, {}))
    if (last != newest.at.last) // Else the new one has its name.
      send(node_->snapshots, snapshot_forget{how_.descriptor.group, last});
  auto& kept = snapshots_.kept;
  kept.insert(kept.begin(), std::move(newest));
  while (kept.size() > persistence::snapshots_kept) {
    if (!kept.back().is_small)
      send(node_->snapshots, snapshot_forget{how_.descriptor.group, kept.back().at.last});
    kept.pop_back();
  }
}

outcome group_replica::newest_snapshot() const {
  const auto bytes = snapshots_.newest_bytes;
  return {.kind = outcome_kind::committed,
          .index = snapshots_.newest().index.value(),
          .detail = bytes == 0 ? "there already" : std::to_string(bytes) + " bytes"};
}

void group_replica::end_snapshot(const outcome& told) {
  snapshots_.is_making = false;
  for (auto& who : std::exchange(snapshots_.callers, {}))
    who.answer(told);
}

// -- sending, receiving ---------------------------------------------------------

void group_replica::send_snapshot(const raft::snapshot_wanted& wanted) {
  // What was compacted, a snapshot goes beyond: the newest is the one that helps most.
  if (snapshots_.newest().index < wanted.at_least)
    return; // Asked again from time to time.
  send(node_->snapshots,
       snapshot_send{named_group(), wanted.to, snapshots_.kept.front(), replica_actor{this}});
}

// Whoever asks for one again gets the older one, or the one that is made now: without it a peer
// would be offered the damaged one until the log has grown (RELIABILITY E-11).
void group_replica::on_snapshot_damaged(const group_snapshot_damaged& x) {
  auto& kept = snapshots_.kept;
  const auto* found = persistence::find(kept, x.last);
  if (fault_ || found == nullptr)
    return;
  node_->log().warning("group=" + how_.descriptor.name
                       + " event=snapshot_damaged index=" + std::to_string(x.last.index.value())
                       + " reason=\"" + to_string(x.reason) + "\"");
  if (!found->is_small)
    snapshots_.damaged.push_back(x.last);
  kept.erase(kept.begin() + (found - kept.data()));
  make_snapshot();
}

void group_replica::on_snapshot_received(const group_snapshot_received& x) {
  if (fault_)
    return;
  flush(); // So that the next ready says of this one alone what to do.
  snapshots_.received = x.got;
  step(raft::snapshot_installed{x.got.at, x.got.wall_ns});
  flush();
  // The core didn't need it; if one is being made, that may be the same file.
  if (const auto rest = std::exchange(snapshots_.received, std::nullopt);
      rest && !rest->is_small && !snapshots_.is_making
      && persistence::find(snapshots_.kept, rest->at.last) == nullptr)
    send(node_->snapshots, snapshot_forget{how_.descriptor.group, rest->at.last});
}

// Before the log begins anew on the disk it knows the snapshot that it begins after; before any
// entry behind it the machine has loaded it.
void group_replica::restore(raft::entry_id last, persist_seq log_restart) {
  CAUCUS_ASSERT(snapshots_.received && snapshots_.received->at.last == last);
  auto got = *std::exchange(snapshots_.received, std::nullopt);
  send(node_->wal, wal_mark{how_.descriptor.group, {got, {}}, replica_actor{this}});
  load_snapshot(got);
  got.bytes = {};
  replica_snapshots::superseded old{.files = {}, .log_restart = log_restart, .loaded = last.index};
  for (const auto& older : std::exchange(snapshots_.kept, {}))
    if (!older.is_small && older.at.last != last)
      old.files.push_back(older.at.last);
  snapshots_.old.push_back(std::move(old));
  snapshots_.kept.push_back(std::move(got));
  snapshots_.schedule.restart();
  snapshots_.newest_bytes = 0;
  pending_.pass(last.index);
  handed_out_ = last.index;
}

void group_replica::forget_superseded() {
  std::erase_if(snapshots_.old, [this](const replica_snapshots::superseded& x) {
    if (snapshots_.persisted < x.log_restart || snapshots_.applied < x.loaded)
      return false;
    for (const auto& file : x.files)
      send(node_->snapshots, snapshot_forget{how_.descriptor.group, file});
    return true;
  });
}

void group_replica::load_snapshot(const kept_snapshot& from) {
  send(machine(), machine_restore{from.at.last.index, from.wall_ns,
                                  [store = node_->store, group = how_.descriptor.group, from] {
                                    return store->open(group, from);
                                  }});
}

} // namespace caucus
