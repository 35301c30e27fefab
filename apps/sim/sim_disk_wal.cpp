// A disk whose file and snapshots are the production code's.

#include "actors/group_beginning.hpp"
#include "apps/sim/sim_disk.hpp"
#include "apps/sim/violation.hpp"

#include <algorithm>

namespace caucus::sim {

namespace {

void compact(log_mirror& log, index_t upto) {
  if (upto > log.before() && log.has(upto))
    log.compact(upto);
}

} // namespace

result<void> sim_disk::open() {
  auto begun = wal_->start(*first_members_.members);
  if (!begun)
    return std::move(begun).reason();
  beginning_ = *std::move(begun);
  return {};
}

uint64_t sim_disk::start_production(int64_t now_us, int64_t batches_max) {
  // What found no room is staged already.
  const auto staged_before = in_flight_.size();
  for (; batches_max > 0 && !queue_.empty() && oldest_queued_us() <= now_us; --batches_max) {
    in_flight_.push_back(queue_.pop_front().batch);
    wal_->stage(in_flight_.back());
    if (staged_before == 0 && written_ahead_ == 0 && wal_->write_ahead()) {
      written_ahead_ = in_flight_.size();
      ahead_batch_ = wal_->damage().last_batch();
    }
  }
  is_busy_ = wal_->write().ok() && !wal_->has_failed();
  return wal_->hash();
}

persist_seq sim_disk::finish_production() {
  is_busy_ = false;
  if (!wal_->sync())
    return {};
  for (size_t i = 0; i < written_ahead_; ++i)
    persist(in_flight_[i]);
  if (written_ahead_ > 0)
    note_milestone(ahead_batch_);
  for (const auto& x : wal_->take_marked()) {
    const auto upto = x.begins_after.last.index;
    compact(durable_.log, upto);
    compactable_.push_back(upto);
    snapshot_ = files_.at(x.snapshot.at.last);
  }
  for (size_t i = written_ahead_; i < in_flight_.size(); ++i)
    persist(in_flight_[i]);
  const auto upto = in_flight_.empty() ? persist_seq{} : in_flight_.back().seq;
  in_flight_.clear();
  written_ahead_ = 0;
  note_milestone(wal_->damage().last_batch());
  return upto;
}

void sim_disk::persist(const raft::persist_batch& x) {
  replay(x, durable_);
  if (x.snapshot)
    snapshot_ = files_.at(*x.snapshot);
}

void sim_disk::note_milestone(uint64_t batch) {
  const auto& log = durable_.log;
  milestones_.push_back({batch, durable_.hard, log.before_id(), log.hash_at(log.before()),
                         log.numbered_members_at(log.before()), log.last(),
                         log.hash_at(log.last())});
}

sim_disk::loss sim_disk::crash_production() {
  loss out{.batches = in_flight_.size() + queue_.size(), .torn = 0};
  is_busy_ = false;
  queue_.clear();
  compactable_.clear();
  // A start that was cut off hasn't decided about what was in flight before it.
  if (auto lost = std::exchange(in_flight_, {}); !lost.empty() || !wal_->staged_marks().empty()) {
    lost_maybe_ = std::move(lost);
    lost_marks_ = wal_->staged_marks();
    lost_ahead_ = written_ahead_;
  }
  written_ahead_ = 0;
  out.torn = wal_->crash() ? 1 : 0;
  return out;
}

/// A batch of the log is there as a whole or not at all.
sim_disk::contents sim_disk::recover_production() {
  auto with_ahead = durable_; // Of two batches of the log the first may be there alone.
  for (size_t i = 0; i < lost_ahead_; ++i)
    replay(lost_maybe_[i], with_ahead);
  auto with_lost = durable_;
  for (const auto& x : lost_marks_)
    compact(with_lost.log, x.begins_after.last.index);
  for (const auto& x : lost_maybe_)
    replay(x, with_lost);
  contents found;
  found_ = finding::as_written;
  if (!is_found(durable_, found) && !is_found(with_ahead, found) && !is_found(with_lost, found)
      && !is_explained(found)) {
    const auto& group = beginning_.group;
    throw violation{"disk", text("what was recovered isn't what was written: log ",
                                 group.begins_after.last.index, " to ", group.last, ", term ",
                                 group.hard.term, " instead of ", durable_.log.before(), " to ",
                                 durable_.log.last(), ", term ", durable_.hard.term, " or ",
                                 with_lost.log.before(), " to ", with_lost.log.last(), ", term ",
                                 with_lost.hard.term)};
  }
  durable_ = found;
  lost_maybe_.clear();
  lost_ahead_ = 0;
  lost_marks_.clear();
  wal_->damage().end_start(wal_->reads_platter(), wal_->disk().names());
  note_milestone(wal_->damage().last_batch());
  core_state_ = caucus::core_state(beginning_.group);
  snapshot_.reset();
  if (beginning_.loaded) {
    check_image(beginning_.loaded->at.last, beginning_.image);
    snapshot_ = files_.at(beginning_.loaded->at.last);
  }
  has_passed_over_ = beginning_.damaged_snapshots > 0;
  beginning_ = {};
  return found;
}

bool sim_disk::is_found(const contents& expected, contents& found) const {
  const auto& group = beginning_.group;
  const auto& log = expected.log;
  auto hard = expected.hard; // A commit index may be known before the entries are here (W-19).
  hard.commit = std::clamp(hard.commit, log.before(), log.last());
  if (group.hard != hard || group.begins_after.last != log.before_id() || group.last != log.last())
    return false;
  found = {.log = {}, .hard = group.hard};
  found.log.restore(log.before_id(), log.hash_at(log.before()),
                    log.numbered_members_at(log.before()));
  for (const auto& x : beginning_.entries)
    found.log.append(x);
  const auto first = found.log.numbered_members_at(log.before());
  const auto members = found.log.later_members();
  const auto is_same = [](const auto& a, const auto& b) {
    return a.id == b.id && *a.members == *b.members;
  };
  return found.log.agrees(log, log.last()) && *first.members == group.members()
         && first.id == group.begins_after.members.id
         && std::equal(members.begin(), members.end(), group.configurations.begin(),
                       group.configurations.end(), is_same);
}

bool sim_disk::is_found(const milestone& expected, contents& found) const {
  const auto& group = beginning_.group;
  auto hard = expected.hard;
  hard.commit = std::clamp(hard.commit, expected.before.index, expected.last);
  if (group.hard != hard || group.begins_after.last != expected.before
      || group.last != expected.last)
    return false;
  found = {.log = {}, .hard = group.hard};
  found.log.restore(expected.before, expected.before_hash, expected.members);
  for (const auto& x : beginning_.entries)
    found.log.append(x);
  return found.log.last() == expected.last
         && found.log.hash_at(expected.last) == expected.last_hash;
}

/// A disk that lies may leave an earlier state only where nothing on it can tell: a whole directory
/// of old, or the newest batches, which no other one says to be durable (docs/wal_format.md,
/// section 11). Else the start had to refuse.
bool sim_disk::is_explained(contents& found) {
  const auto& damage = wal_->damage();
  if (!damage.is_latent())
    return false;
  const auto synced = milestones_.empty() ? 0 : milestones_.back().batch;
  for (size_t i = milestones_.size(); i > 0; --i) {
    const auto& x = milestones_[i - 1];
    const auto upto = i < milestones_.size() ? milestones_[i].batch : ~uint64_t{};
    const bool is_old = damage.is_rolled_back_to(x.batch);
    const bool may_be = is_old || damage.may_end_between(x.batch, upto, synced);
    if (!may_be || !is_found(x, found))
      continue;
    if (!damage.is_rolled_back() && damage.is_first_start() && damage.has_rotten_batch(x.batch)
        && beginning_.warnings.empty())
      throw violation{"disk", "the log ends before batches with turned bits, and nobody says so"};
    found_ = is_old ? finding::rolled_back : finding::shortened;
    forgotten_ = std::move(durable_);
    milestones_.resize(i);
    return true;
  }
  return false;
}

result<std::vector<raft::entry_ptr>> sim_disk::read(const raft::log_read& x) {
  auto read = wal_->read(x);
  if (!read || !in_flight_.empty()) // What isn't durable yet is read as well.
    return read;
  for (const auto& e : *read)
    if (const auto i = e->id.index; durable_.log.has(i) && i > durable_.log.before()
                                    && hash_of(*durable_.log.at(i)) != hash_of(*e))
      throw violation{"disk", text("entry ", i, " was read back as another one")};
  return read;
}

void sim_disk::check_image(raft::entry_id last, const std::vector<std::byte>& image) const {
  const auto made = files_.find(last);
  if (made == files_.end())
    throw violation{"disk", text("there is a snapshot up to ", last.index, " that nobody made")};
  if (*made->second.bytes != image)
    throw violation{"disk", text("the snapshot up to ", last.index, " isn't what was made")};
}

result<snapshot_file> sim_disk::load(raft::entry_id last) {
  if (!wal_)
    return file_of(last);
  auto image = wal_->load(last);
  if (!image)
    return std::move(image).reason();
  check_image(last, *image);
  return file_of(last);
}

} // namespace caucus::sim
