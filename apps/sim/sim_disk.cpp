#include "apps/sim/sim_disk.hpp"

#include "apps/sim/violation.hpp"
#include "base/crc32c.hpp"

#include <algorithm>

namespace caucus::sim {

uint64_t sim_disk::start(int64_t now_us, int64_t batches_max) {
  CAUCUS_ASSERT(!is_busy());
  if (wal_)
    return start_production(now_us, batches_max);
  is_busy_ = true;
  CAUCUS_ASSERT(has_queued() && oldest_queued_us() <= now_us);
  scratch_.clear();
  for (; batches_max > 0 && has_queued() && oldest_queued_us() <= now_us; --batches_max) {
    in_flight_.push_back(queue_.pop_front().batch);
    encode({++number_, epoch_, durable_number_, in_flight_.back()}, scratch_);
  }
  write(scratch_);
  return hasher{crc32c(scratch_)}.word(scratch_.size()).word(number_).value();
}

void sim_disk::write(std::span<const std::byte> record) {
  const auto needed = end_ + record.size();
  if (bytes_.size() < needed)
    bytes_.resize(needed + needed / 2);
  under_.assign(bytes_.begin() + static_cast<std::ptrdiff_t>(end_),
                bytes_.begin() + static_cast<std::ptrdiff_t>(needed));
  std::copy(record.begin(), record.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(end_));
  end_ = needed;
}

persist_seq sim_disk::finish() {
  CAUCUS_ASSERT(is_busy());
  if (wal_)
    return finish_production();
  is_busy_ = false;
  for (const auto& x : in_flight_)
    replay(x, durable_);
  const auto upto = in_flight_.back().seq;
  in_flight_.clear();
  synced_end_ = end_;
  durable_number_ = number_;
  return upto;
}

void sim_disk::publish(snapshot_file x) {
  files_.emplace(x.at.last, x);
  if (wal_) // It counts once the log knows it.
    return;
  if (!snapshot_ || snapshot_->index() < x.index())
    snapshot_ = std::move(x);
}

void sim_disk::cut(index_t upto) {
  if (upto <= durable_.log.before() || !durable_.log.has(upto))
    return;
  durable_.log.compact(upto);
  cut_ = upto;
}

void sim_disk::begin_after(raft::entry_id snapshot, contents& x) const {
  const auto& file = files_.at(snapshot);
  x.log.restore(snapshot, file.log_hash, file.at.members);
  if (x.hard.term < snapshot.term)
    x.hard = {snapshot.term, {}, x.hard.commit};
}

void sim_disk::apply_marks(uint64_t number, contents& x) const {
  for (auto [i, end] = marks_.equal_range(number); i != end; ++i)
    begin_after(i->second, x);
}

/// The log goes on after a snapshot that it doesn't contain; what was cut off is gone (S-55, S-59).
bool sim_disk::reconcile(contents& x) const {
  const bool is_behind =
    snapshot_ && snapshot_->index() >= x.log.before() && !x.log.contains(snapshot_->at.last);
  if (is_behind)
    begin_after(snapshot_->at.last, x);
  if (cut_ > (snapshot_ ? snapshot_->index() : index_t{}))
    throw violation{"disk", text("a gap: the log is freed up to ", cut_, ", the snapshot ends at ",
                                 snapshot_ ? snapshot_->index() : index_t{})};
  if (x.log.before() < cut_ && x.log.has(cut_))
    x.log.compact(cut_);
  return is_behind;
}

void sim_disk::replay(const raft::persist_batch& x, contents& onto) const {
  if (x.snapshot) {
    const auto& begins_after = files_.at(*x.snapshot);
    onto.log.restore(*x.snapshot, begins_after.log_hash, begins_after.at.members);
  }
  if (x.truncate_from)
    onto.log.truncate_from(*x.truncate_from);
  for (const auto& e : x.entries)
    onto.log.append(e);
  if (x.hard)
    onto.hard = *x.hard;
}

sim_disk::loss sim_disk::crash(dice& draw, bool torn) {
  if (wal_)
    return crash_production();
  is_busy_ = false;
  loss out{.batches = in_flight_.size() + queue_.size(), .torn = 0};
  queue_.clear();
  lost_maybe_ = std::exchange(in_flight_, {});
  bool is_gap = false;
  for (auto first = synced_end_; first < end_;) {
    const auto next = std::min((first / sector_bytes + 1) * sector_bytes, end_);
    const bool is_kept = torn && draw.permille(500);
    if (!is_kept) {
      const auto from = under_.begin() + static_cast<std::ptrdiff_t>(first - synced_end_);
      std::copy(from, from + static_cast<std::ptrdiff_t>(next - first),
                bytes_.begin() + static_cast<std::ptrdiff_t>(first));
      is_gap = true;
    } else if (is_gap) {
      out.torn = 1;
    }
    first = next;
  }
  return out;
}

sim_disk::contents sim_disk::recover() {
  if (wal_)
    return recover_production();
  contents found;
  found.log.set_first_members(first_members_);
  size_t at = 0;
  uint64_t number = 0;
  apply_marks(number, found);
  while (at < bytes_.size()) {
    auto next = decode_record(std::span{bytes_}.subspan(at));
    const auto epoch_min = at < opened_at_ ? 0 : epoch_;
    if (!next || next->record.number != number + 1 || next->record.epoch < epoch_min)
      break; // A torn tail, or the bytes of an older life.
    number = next->record.number;
    replay(next->record.batch, found);
    apply_marks(number, found);
    at += next->bytes;
  }
  if (reconcile(found))
    marks_.emplace(number, snapshot_->at.last);
  check_recovered(found, number);
  durable_ = found;
  lost_maybe_.clear();
  number_ = durable_number_ = number;
  ++epoch_; // Durable before anything else is written, like a new segment's header.
  opened_at_ = end_ = synced_end_ = at;
  return found;
}

void sim_disk::check_recovered(const contents& found, uint64_t number) const {
  auto expected = durable_;
  if (number < durable_number_)
    throw violation{"disk", text("record ", number + 1, " was durable and is gone")};
  for (size_t i = 0; i < number - durable_number_ && i < lost_maybe_.size(); ++i)
    replay(lost_maybe_[i], expected);
  reconcile(expected);
  const auto last = expected.log.last();
  if (found.hard != expected.hard || found.log.last() != last
      || !found.log.agrees(expected.log, last))
    throw violation{"disk", text("what was recovered up to record ", number,
                                 " isn't what was written; last index ", found.log.last(),
                                 " instead of ", last)};
}

} // namespace caucus::sim
