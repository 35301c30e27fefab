#include "apps/sim/world.hpp"

// A node's life on a production storage: what the shell's actors do around it.

namespace caucus::sim {

void world::use_production_storage(sim_node& n, uint64_t stream) const {
  n.disk.use_production({.node = n.id(),
                         .seed = rng::mix(stream + n.number),
                         .segment_bytes = static_cast<uint64_t>(options_.segment_bytes),
                         .recovered_bytes = static_cast<uint64_t>(options_.recovered_bytes),
                         .power_permille = options_.power_permille,
                         .inner_crash_permille = options_.inner_crash_permille,
                         .failed_call_permille = options_.failed_call_permille,
                         .snapshot_files_permille = options_.snapshot_files_permille,
                         .keeps_images = options_.damage != 0});
}

/// Before a node starts: false if it can't. Without anything in its way it must.
bool world::open_storage(sim_node& n) {
  auto* storage = n.disk.production();
  if (storage == nullptr)
    return true;
  if (n.is_condemned)
    return false;
  n.has_started = true;
  storage->set_full(now_us_ < n.disk_full_until_us);
  const auto opened = n.disk.open();
  trace_.note(event_kind::restart, now_us_, n.number, storage->hash());
  if (opened && !storage->is_dead())
    return true;
  const auto why = opened ? std::string{"it died within a call"} : to_string(opened.reason());
  say(n, "can't start: ", why);
  if (!storage->is_disturbed()) {
    if (!storage->damage().is_latent())
      throw violation{"disk", text("node ", n.id(), " refuses to start: ", why)};
    ++counts_.damage_refused;
    condemn(n, opened.reason());
    return false;
  }
  crash(n, true);
  return false;
}

bool world::has_room(sim_node& n) {
  const bool is_full = now_us_ < n.disk_full_until_us;
  auto* storage = n.disk.production();
  if (storage == nullptr)
    return !is_full;
  storage->set_full(is_full);
  const bool found = storage->has_room();
  if (storage->has_failed())
    die_of_storage(n);
  return found;
}

/// It waits for room, or the log is fenced and the node ends.
void world::after_failed_write(sim_node& n) {
  if (n.disk.production()->has_failed()) {
    die_of_storage(n);
    return;
  }
  say(n, "has no room for its log");
  n.is_start_planned = true;
  plan(event_kind::disk_start, now_us_ + options_.tick_us, n);
}

/// Never retried: what the cache holds after a failed sync is anybody's guess (E-01).
void world::die_of_storage(sim_node& n) {
  say(n, "ends: ", to_string(n.disk.production()->failure()));
  crash(n, true);
}

bool world::finish_storage(sim_node& n) {
  auto* storage = n.disk.production();
  if (storage == nullptr)
    return true;
  n.fails_next_sync = false;
  if (!storage->has_failed())
    static_cast<void>(storage->tidy());
  if (storage->has_failed()) {
    die_of_storage(n);
    return false;
  }
  for (auto upto : n.disk.take_compactable())
    if (upto > n.log.before() && n.log.has(upto)) {
      step(n, raft::compact{upto});
      n.log.compact(upto);
    }
  return true;
}

std::vector<raft::entry_ptr> world::read_storage(sim_node& n, const raft::log_read& x, bool fails) {
  auto* storage = n.disk.production();
  storage->fail_reads(fails);
  auto read = n.disk.read(x);
  storage->fail_reads(false);
  if (!read) {
    say(n, "can't read entry ", x.first, ": ", to_string(read.reason()));
    if (read.reason().code == errc::wal_corrupt) { // The group ends here (RELIABILITY E-10).
      ++counts_.damage_read;
      condemn(n, read.reason());
    }
  }
  return read ? *std::move(read) : std::vector<raft::entry_ptr>{};
}

void world::make_in_storage(sim_node& n, snapshot_file made) {
  if (made.at.members.members->voters.empty())
    return; // Who joined and hasn't come to the entry that says who votes can't say it in a file.
  auto* storage = n.disk.production();
  storage->set_full(now_us_ < n.disk_full_until_us);
  const auto done = storage->make(made);
  if (storage->has_failed()) {
    die_of_storage(n);
    return;
  }
  if (!done) { // Of it nothing is left, and the log knows nothing (E-06).
    say(n, "has no snapshot up to ", made.index(), ": ", to_string(done.reason()));
    return;
  }
  n.disk.publish(std::move(made));
  plan_disk(n);
}

bool world::ship_from_storage(sim_node& n, snapshot_file& file) {
  auto shipped = n.disk.production()->ship();
  if (!shipped)
    say(n, "can't send its snapshot: ", to_string(shipped.reason()));
  else
    file.shipped = std::make_shared<const shipped_snapshot>(*std::move(shipped));
  return shipped.ok();
}

bool world::receive_in_storage(sim_node& n, snapshot_file& file) {
  auto* storage = n.disk.production();
  storage->set_full(now_us_ < n.disk_full_until_us);
  const auto received = std::exchange(file.shipped, nullptr);
  const auto done = storage->receive(*received);
  if (storage->has_failed()) {
    die_of_storage(n);
    return false;
  }
  if (!done)
    say(n, "can't store the snapshot up to ", file.index(), ": ", to_string(done.reason()));
  return done.ok();
}

void world::heal_storage(sim_node& n) {
  if (auto* storage = n.disk.production())
    storage->heal();
}

} // namespace caucus::sim
