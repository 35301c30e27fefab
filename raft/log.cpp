#include "raft/log.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <limits>

namespace caucus::raft {

namespace {

/// What `copy` sets space aside for, if as much is asked for: it may find room for less.
constexpr uint64_t copy_reserved = 1024;

/// So far ahead of the eviction its memory is asked for. Entries leave in the order in which they
/// came, so each is the coldest there is, and its release would wait for it.
constexpr size_t entries_ahead = 16;

void expect(const entry& x) {
  __builtin_prefetch(&x);
  __builtin_prefetch(&x.body.payload);
}

} // namespace

log::log(recovered_state& from_disk)
  : terms_{from_disk.compacted, std::move(from_disk.runs), from_disk.last},
    tail_first_{from_disk.last + 1},
    persisted_{from_disk.last},
    handed_{from_disk.last} {
  CAUCUS_ASSERT(from_disk.tail.size() <= last() - before().index);
  tail_first_ = from_disk.last + 1 - from_disk.tail.size();
  CAUCUS_ASSERT(holds(tail_first_, from_disk.tail));
  for (auto& x : from_disk.tail) {
    tail_bytes_ += x->cost();
    tail_.push_back(std::move(x));
  }
}

uint64_t log::copy(index_t first, index_t last, uint64_t bytes_max,
                   std::vector<entry_ptr>& out) const {
  CAUCUS_ASSERT(is_in_memory(first));
  CAUCUS_ASSERT(is_in_memory(last) && first <= last);
  uint64_t bytes = 0;
  out.reserve(out.size() + std::min<uint64_t>(last - first + 1, copy_reserved));
  for (auto i = first; i <= last; ++i) {
    const auto& x = in_memory(i);
    const auto cost = x->cost();
    if (i > first && bytes + cost > bytes_max)
      break;
    bytes += cost;
    out.push_back(x);
  }
  return bytes;
}

bool log::holds(index_t first, std::span<const entry_ptr> entries) const {
  auto expected = first;
  for (const auto& x : entries) {
    if (x == nullptr || x->id.index != expected || !terms_.contains(x->id))
      return false;
    ++expected;
  }
  return true;
}

void log::evict(tail_limits limits, index_t spent) {
  while (!tail_.empty() && tail_first_ <= persisted_
         && (tail_bytes_ > limits.bytes_max
             || (tail_bytes_ > limits.bytes_kept && tail_first_ <= spent))) {
    if (tail_.size() > 2 * entries_ahead) {
      expect(*tail_[2 * entries_ahead]);
      __builtin_prefetch(tail_[entries_ahead]->body.payload.data());
    }
    tail_bytes_ -= tail_.front()->cost();
    tail_.pop_front();
    ++tail_first_;
  }
}

void log::append(entry_ptr x) {
  CAUCUS_ASSERT(x->id.index == last() + 1);
  terms_.append(x->id.term);
  tail_bytes_ += x->cost();
  tail_.push_back(std::move(x));
}

void log::truncate_from(index_t from) {
  CAUCUS_ASSERT(from <= last());
  terms_.truncate_from(from);
  while (!tail_.empty() && tail_first_ + tail_.size() > from) {
    tail_bytes_ -= tail_.back()->cost();
    tail_.pop_back();
  }
  tail_first_ = std::min(tail_first_, from);
  if (from <= handed_)
    truncate_from_ = truncate_from_ ? std::min(*truncate_from_, from) : from;
  handed_ = std::min(handed_, from - 1);
  persisted_ = std::min(persisted_, from - 1);
  for (size_t i = 0; i < in_flight_.size(); ++i)
    in_flight_[i].last = std::min(in_flight_[i].last, from - 1);
}

void log::compact(index_t upto) {
  CAUCUS_ASSERT(upto <= persisted_);
  terms_.compact(upto);
  for (; !tail_.empty() && tail_first_ <= upto; ++tail_first_)
    tail_bytes_ -= tail_.pop_front()->cost();
}

void log::restore(entry_id last) {
  terms_ = term_runs{last, {}, last.index};
  tail_.clear();
  tail_bytes_ = 0;
  tail_first_ = last.index + 1;
  persisted_ = last.index;
  handed_ = last.index;
  truncate_from_.reset();
  restored_ = last;
  for (size_t i = 0; i < in_flight_.size(); ++i)
    in_flight_[i].last = std::min(in_flight_[i].last, last.index);
}

void log::hand_over(persist_batch& batch) {
  if (!has_unwritten())
    return;
  batch.snapshot = std::exchange(restored_, std::nullopt);
  if (batch.snapshot)
    restored_with_ = batch.seq;
  batch.truncate_from = std::exchange(truncate_from_, std::nullopt);
  if (handed_ < last())
    copy(handed_ + 1, last(), std::numeric_limits<uint64_t>::max(), batch.entries);
  handed_ = last();
  in_flight_.push_back({batch.seq, handed_});
}

void log::mark_durable(persist_seq upto) {
  if (restored_with_ <= upto)
    restored_with_ = {};
  while (!in_flight_.empty() && in_flight_.front().seq <= upto)
    persisted_ = std::max(persisted_, in_flight_.pop_front().last);
}

persist_seq log::durable_after(index_t index, persist_seq next) const noexcept {
  if (restored_)
    return next;
  if (index <= persisted_)
    return restored_with_;
  for (size_t i = 0; i < in_flight_.size(); ++i)
    if (in_flight_[i].last >= index)
      return in_flight_[i].seq;
  return next;
}

} // namespace caucus::raft
