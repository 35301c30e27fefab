#include "apps/sim/world.hpp"

// Snapshots, as a shell would make, store and send them.

namespace caucus::sim {

/// Takes a picture of the machine once the log has grown enough; it is whole and durable later.
void world::begin_snapshot(sim_node& n) {
  const auto upto = n.machine->applied();
  const auto newest = n.disk.snapshot() ? n.disk.snapshot()->index() : index_t{};
  if (options_.snapshot_every == 0 || n.writing || !n.log.has(upto)
      || upto < newest + static_cast<uint64_t>(options_.snapshot_every))
    return;
  if (upto + 1 < n.core->describe().first)
    return; // The core has installed a newer one, and nobody has taken its ready yet.
  snapshot_file made{.at = n.core->boundary_at(upto),
                     .wall_ns = upto == n.log.before() ? 0 : n.log.at(upto)->wall_ns,
                     .log_hash = n.log.hash_at(upto),
                     .bytes = std::make_shared<const std::vector<std::byte>>(n.machine->save())};
  if (is_checked_) {
    const auto expected = n.log.numbered_members_at(upto);
    if (made.at.members.id != expected.id || *made.at.members.members != *expected.members)
      throw violation{"snapshot boundary", text("node ", n.id(), "'s snapshot up to ", upto,
                                                " would name configuration ", made.at.members.id,
                                                " instead of ", expected.id)};
  }
  n.writing = std::move(made);
  plan(event_kind::snapshot_made, soon(options_.snapshot_us), n);
}

void world::finish_snapshot(sim_node& n) {
  auto made = std::exchange(n.writing, std::nullopt);
  if (n.disk.snapshot() && n.disk.snapshot()->index() >= made->index())
    return; // A newer one was installed meanwhile (RELIABILITY S-52).
  ++counts_.snapshots_made;
  note_file(n, *made);
  say(n, "has made a snapshot up to ", made->index());
  if (n.disk.production() != nullptr) {
    make_in_storage(n, *std::move(made));
    return;
  }
  const auto kept = static_cast<uint64_t>(options_.snapshot_keep);
  const auto upto = index_t{made->index().value() - std::min(kept, made->index().value())};
  n.disk.publish(*std::move(made));
  compact(n, upto);
}

void world::compact(sim_node& n, index_t upto) {
  step(n, raft::compact{upto});
  if (!n.is_up() || upto <= n.log.before() || !n.log.has(upto))
    return;
  n.log.compact(upto);
  n.disk.cut(upto);
}

void world::send_snapshot(sim_node& n, const raft::snapshot_wanted& wanted) {
  const auto to = wanted.to.value();
  if (to >= nodes_.size() || (n.sending >> to & 1) != 0)
    return;
  const auto& file = n.disk.snapshot();
  if (!file || file->index() < wanted.at_least)
    return;
  auto sent = *file;
  if (n.disk.production() != nullptr && !ship_from_storage(n, sent))
    return;
  n.sending |= 1U << to;
  const auto sent_us = soon(options_.snapshot_us);
  const auto arrives = network_.arrival(n.number, static_cast<uint8_t>(to), sent_us);
  travelling_.push_back(
    {std::move(sent), n.life, n.number, static_cast<uint8_t>(to), !arrives.has_value()});
  say(n, "sends its snapshot up to ", travelling_.back().file.index(), " to ", to);
  queue_.push({.at_us = arrives.value_or(sent_us + options_.delay_mean_us),
               .arg = static_cast<uint32_t>(travelling_.size() - 1),
               .kind = event_kind::snapshot_arrives});
}

void world::receive_snapshot(const event& x) {
  auto& packet = travelling_[x.arg];
  auto& to = nodes_[packet.to];
  auto& from = nodes_[packet.from];
  const bool is_sender_there = from.is_up() && from.life == packet.from_life;
  const bool is_lost = packet.is_lost || !to.is_up() || to.is_paused(now_us_)
                       || network_.is_cut(packet.from, packet.to, now_us_)
                       || (is_healed_ && !is_sender_there);
  auto file = std::exchange(packet.file, {});
  if (is_sender_there)
    from.sending &= ~(1U << packet.to);
  if (is_lost) {
    ++counts_.messages_dropped;
  } else {
    ++counts_.events;
    ++counts_.deliveries;
    note_file(to, file);
    say(to, "receives the snapshot up to ", file.index(), " of ", from.number);
    to.incoming.push_back(std::move(file));
    plan(event_kind::snapshot_stored, soon(options_.sync_mean_us), to);
  }
  // Reports may be lost as well.
  if (is_sender_there && !from.is_paused(now_us_) && luck_.permille(800))
    step(from, raft::snapshot_sent{to.id(), !is_lost});
}

void world::store_snapshot(sim_node& n) {
  auto file = n.incoming.pop_front();
  trace_.note(event_kind::snapshot_stored, now_us_, n.number, file.index().value());
  if (n.disk.production() != nullptr && !receive_in_storage(n, file))
    return;
  raft::snapshot_installed done{.at = file.at, .wall_ns = file.wall_ns};
  n.disk.publish(std::move(file));
  step(n, std::move(done));
}

void world::restore(sim_node& n, raft::entry_id upto) {
  // A machine that keeps its effects may have loaded it in a life whose log didn't come so far.
  if (n.disk.production() != nullptr && options_.durable_machine != 0
      && n.machine->applied() >= upto.index)
    return;
  if (n.machine->applied() >= upto.index)
    throw violation{"snapshot boundary", text("node ", n.id(), " must restore entry ", upto.index,
                                              ", has applied ", n.machine->applied())};
  ++counts_.snapshots_installed;
  const auto read = n.disk.load(upto);
  if (!read) {
    ++counts_.damage_read;
    condemn(n, read.reason());
    return;
  }
  const auto& file = *read;
  *n.machine = machine::load(*file.bytes);
  if (is_checked_) {
    executed_.on_restore(n.id(), upto.index, n.machine->hash());
    committed_.on_restore(n.id(), upto.index, file.log_hash);
  }
  n.waiting.jump(upto.index,
                 [&](caller who) { clients_.answer(who, {errc::leadership_lost}, now_us_); });
  say(n, "restores the snapshot up to ", upto.index);
}

void world::note_file(const sim_node& n, const snapshot_file& x) {
  trace_.note(event_kind::snapshot_made, now_us_, n.number, x.index().value(),
              hasher{}.bytes(*x.bytes).value());
}

} // namespace caucus::sim
