#include "apps/sim/world.hpp"

// Disks that lie, and what operators do about them.

namespace caucus::sim {

namespace {

/// Where to look: a file of the log or a snapshot's.
bool names_a_file(const error& x) {
  return x.what.find("wal-") != std::string::npos || x.what.find("snap-") != std::string::npos;
}

} // namespace

/// Those whose disks have what they were told to keep.
std::vector<uint8_t> world::whole_nodes(uint8_t but) const {
  std::vector<uint8_t> out;
  for (const auto& n : nodes_)
    if (n.has_started && !n.is_struck && !n.is_condemned && n.number != but)
      out.push_back(n.number);
  return out;
}

/// The fault atlas (RELIABILITY section 3.3): with damage=1 those who aren't hit could always
/// serve.
void world::damage_disk(int64_t options::*chosen, sim_node& n) {
  auto& storage = *n.disk.production();
  if (!n.has_started || n.is_condemned
      || (options_.damage == 1 && !can_serve(whole_nodes(n.number))))
    return;
  const bool waits_for_write =
    chosen == &options::lost_write || chosen == &options::misdirected_write;
  if (waits_for_write && !n.is_up()) // What a start writes comes after what it has judged.
    return;
  n.is_struck = true;
  if (chosen == &options::bit_rot) {
    for (auto left = luck_.one_of({1, 1, 1, 4}); left > 0; --left)
      static_cast<void>(storage.rot());
  } else if (chosen == &options::lost_write) {
    storage.lose_next_write();
  } else if (chosen == &options::misdirected_write) {
    storage.misdirect_next_write();
  } else {
    if (n.is_up())
      crash(n, true);
    static_cast<void>(storage.roll_back());
  }
}

/// After a start that has succeeded. Who has forgotten something goes on only if that hurts nobody;
/// else its operator, who has restored a copy or reads of a torn tail where none can be, takes it
/// out.
bool world::accept_recovery(sim_node& n) {
  const auto& damage = n.disk.production()->damage();
  counts_.snapshots_passed_over += n.disk.has_passed_over() ? 1 : 0;
  if (n.disk.found() == sim_disk::finding::as_written) {
    counts_.damage_harmless += n.is_struck ? 1 : 0;
    n.is_struck = damage.is_latent();
    return true;
  }
  ++counts_.damage_shortened;
  say(n, "has forgotten what comes after entry ", n.disk.durable().last(), ", term ",
      n.disk.durable_hard().term);
  if (!may_forget(n)) {
    n.disk.bury();
    condemn(n, {errc::wal_corrupt, n.disk.production()->disk().names().front()});
    return false;
  }
  ++counts_.damage_tolerated;
  n.is_struck = damage.is_latent();
  n.machine.reset();
  return true;
}

/// Whether a majority of others has everything that the node has forgotten, its term behind it:
/// what it has promised in that term, nobody can count on any more.
bool world::may_forget(const sim_node& n) const {
  const auto& lost = n.disk.forgotten();
  const auto last = lost.log.last();
  const auto hash = last > committed_.last() ? lost.log.hash_at(last) : committed_.hash_at(last);
  std::vector<uint8_t> sure;
  for (auto number : whole_nodes(n.number)) {
    const auto& x = nodes_[number];
    const auto& log = x.disk.durable();
    const bool has_all = last < log.before() || (log.has(last) && log.hash_at(last) == hash);
    if (has_all && x.disk.durable_hard().term > lost.hard.term)
      sure.push_back(number);
  }
  return can_serve(sure);
}

/// It has found out, or somebody has: it refuses to serve, and is replaced.
void world::condemn(sim_node& n, const error& why) {
  if (n.disk.production() == nullptr || !n.is_struck)
    throw violation{"disk",
                    text("node ", n.id(), " reports damage where there is none: ", to_string(why))};
  if (n.disk.found() == sim_disk::finding::as_written && !names_a_file(why))
    throw violation{"disk",
                    text("node ", n.id(), " doesn't say where the damage is: ", to_string(why))};
  say(n, "is taken out: ", to_string(why));
  n.is_condemned = true;
  crash(n, false);
  plan(event_kind::replacement, now_us_ + 1 + luck_.around(options_.trouble_us), n);
}

/// As the documents say: a new node under a new id first, then without the damaged one.
void world::replace(sim_node& n) {
  using kind = enum membership::member_change::kind;
  if (is_healed_)
    return;
  if (!members_->is_member(n.id())) {
    ++counts_.replaced;
    return;
  }
  plan(event_kind::replacement, now_us_ + 1 + luck_.around(options_.trouble_us), n);
  auto* const leading = leader();
  if (leading == nullptr || leading->is_paused(now_us_))
    return;
  for (uint8_t i = 1; i < nodes_.size() && n.replacement == 0; ++i)
    if (!nodes_[i].has_started && members_->is_voter(n.id()))
      n.replacement = i;
  const node_id added{n.replacement};
  if (n.replacement == 0 || members_->is_voter(added)) {
    ask_change(*leading, {.changes = {{.kind = kind::remove, .node = n.id()}}});
  } else if (!members_->is_member(added)) {
    ask_change(*leading, {.changes = {{.kind = kind::make_staging,
                                       .node = added,
                                       .address = {"node-" + std::to_string(n.replacement),
                                                   static_cast<uint16_t>(1000 + n.replacement)}}}});
  }
}

void world::count_damage() {
  for (const auto& n : nodes_) {
    if (n.disk.production() == nullptr)
      continue;
    counts_.segments_recycled += n.disk.production()->segments_recycled();
    const auto& damage = n.disk.production()->damage();
    for (size_t i = 0; i < damage_kinds && options_.damage != 0; ++i)
      reached_.damage(static_cast<damage_kind>(i), damage.count(static_cast<damage_kind>(i)));
    counts_.bit_rot += damage.count(damage_kind::bit_rot);
    counts_.misdirected_writes += damage.count(damage_kind::misdirected_write);
    counts_.lost_writes += damage.count(damage_kind::lost_write);
    counts_.file_rollbacks += damage.count(damage_kind::file_rollback);
    counts_.directory_rollbacks += damage.count(damage_kind::directory_rollback);
  }
}

} // namespace caucus::sim
