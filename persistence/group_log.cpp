#include "persistence/group_log.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace caucus::persistence {

namespace {

// A new row after this much of the group's own entries.
constexpr uint64_t row_bytes_max = uint64_t{64} << 10;

/// The last element of an ascending sequence whose `first` is not after `index`.
template <class Elements>
auto find_covering(Elements& elements, index_t index) {
  auto after = std::upper_bound(elements.begin(), elements.end(), index,
                                [](index_t x, const auto& element) { return x < element.first; });
  return after == elements.begin() ? elements.end() : std::prev(after);
}

uint64_t count(index_t first, index_t last) { return last.value() - first.value() + 1; }

} // namespace

const group_log::row* group_log::find_row(index_t index) const {
  const auto covering = find_covering(rows_, index);
  return covering == rows_.end() || index > covering->last ? nullptr : &*covering;
}

term_t group_log::term_at(index_t index) const {
  if (index == begins_after_.index)
    return begins_after_.term;
  const auto run = find_covering(runs_, index);
  return index > last_ || run == runs_.end() ? term_t{} : run->term;
}

raft::entry_id group_log::entry_before(index_t first) const {
  if (!first)
    return {};
  const auto index = std::min(last_, first - 1);
  return index < begins_after_.index ? raft::entry_id{} : raft::entry_id{index, term_at(index)};
}

bool group_log::would_leave_gap(index_t first) const { return is_end_known_ && first > last_ + 1; }

bool group_log::agrees(const log_change& change, std::span<const raft::term_run> runs) const {
  if (is_end_known_ && change.last > last_)
    return false;
  for (size_t i = 0; i < runs.size(); ++i) {
    const auto end = i + 1 < runs.size() ? runs[i + 1].first : change.last + 1;
    // Both are constant between the borders of either's runs.
    for (auto at = std::max(runs[i].first, begins_after_.index + 1); at < end;) {
      if (const auto known = term_at(at); known && known != runs[i].term)
        return false;
      const auto next = std::upper_bound(runs_.begin(), runs_.end(), at,
                                         [](index_t x, const auto& run) { return x < run.first; });
      at = next == runs_.end() ? end : next->first;
    }
  }
  return true;
}

index_t group_log::first_unknown() const {
  if (has_unknown_)
    for (const auto& run : runs_)
      if (!run.term)
        return run.first;
  return is_end_known_ ? index_t{} : last_ + 1;
}

void group_log::extend_unknown(index_t upto) {
  if (upto <= last_)
    return;
  if (runs_.empty() || runs_.back().term)
    runs_.push_back({last_ + 1, {}});
  has_unknown_ = true;
  last_ = upto;
}

void group_log::append(const log_change& change, std::span<const raft::term_run> runs,
                       log_position batch, segment_rows& live) {
  if (change.first <= last_)
    truncate(change.first, live);
  CAUCUS_ASSERT(!would_leave_gap(change.first)); // A hole would stay one for ever.
  if (change.first > last_ + 1)
    extend_unknown(change.first - 1);
  is_end_known_ = true;
  for (const auto& run : runs)
    if (runs_.empty() || runs_.back().term != run.term)
      runs_.push_back(run);
  const bool is_covered = is_row_open_ && !rows_.empty() && rows_.back().last == last_
                          && rows_.back().bytes < row_bytes_max
                          && rows_.back().batch.segment == batch.segment;
  const auto place = batch.offset + change.record;
  if (is_covered) {
    rows_.back().last = change.last;
    rows_.back().bytes += change.bytes;
    rows_.back().records.add(place);
    live.grow(batch.segment, change.bytes);
  } else {
    rows_.push_back(
      {change.first, change.last, batch, record_places_in_segment{place}, false, change.bytes});
    live.add(batch.segment, change.bytes);
  }
  is_row_open_ = true;
  last_ = change.last;
}

void group_log::truncate(index_t from, segment_rows& live) {
  if (from > last_) {
    if (!is_end_known_)
      end_at(from - 1);
    return;
  }
  CAUCUS_ASSERT(from > begins_after_.index);
  drop_rows_from(from, live);
  while (!runs_.empty() && runs_.back().first >= from)
    runs_.pop_back();
  // The next append begins a row: inside one, a scan must meet every index once.
  is_row_open_ = false;
  is_end_known_ = true;
  last_ = from - 1;
  ++drops_;
}

void group_log::drop_rows_from(index_t from, segment_rows& live) {
  while (!rows_.empty() && rows_.back().first >= from) {
    live.remove(rows_.back().batch.segment, rows_.back().bytes);
    rows_.pop_back();
  }
  if (!rows_.empty() && rows_.back().last >= from)
    shrink(rows_.back(), rows_.back().first, from - 1, live);
}

void group_log::shrink(row& x, index_t first, index_t last, segment_rows& live) {
  const auto left =
    static_cast<uint64_t>(static_cast<double>(x.bytes) * static_cast<double>(count(first, last))
                          / static_cast<double>(count(x.first, x.last)));
  live.shrink(x.batch.segment, x.bytes - left);
  x.first = first;
  x.last = last;
  x.bytes = left;
}

void group_log::compact(raft::entry_id upto, segment_rows& live) {
  if (upto.index <= begins_after_.index)
    return;
  const auto first = upto.index + 1;
  auto kept = rows_.begin();
  for (; kept != rows_.end() && kept->last < first; ++kept)
    live.remove(kept->batch.segment, kept->bytes);
  rows_.erase(rows_.begin(), kept);
  if (!rows_.empty() && rows_.front().first < first)
    shrink(rows_.front(), first, rows_.front().last, live);
  if (upto.index >= last_) {
    runs_.clear();
    last_ = upto.index;
  } else if (const auto run = find_covering(runs_, first); run != runs_.end()) {
    runs_.erase(runs_.begin(), run);
    runs_.front().first = std::max(runs_.front().first, first);
  }
  has_unknown_ = std::any_of(runs_.begin(), runs_.end(), [](const auto& x) { return !x.term; });
  begins_after_ = upto;
  ++drops_;
}

void group_log::restart(raft::entry_id after, segment_rows& live) {
  drop_rows_from({}, live);
  runs_.clear();
  begins_after_ = after;
  last_ = after.index;
  is_end_known_ = true;
  has_unknown_ = false;
  ++drops_;
}

size_t group_log::cut_out(index_t first, index_t last, segment_rows& live) {
  std::vector<row> rest; // Of the rows that overlap: at most one piece in front and one behind.
  const auto begin =
    std::find_if(rows_.begin(), rows_.end(), [&](const auto& x) { return x.last >= first; });
  auto end = begin;
  size_t in_front = 0;
  for (; end != rows_.end() && end->first <= last; ++end) {
    const auto bytes_each = end->bytes / count(end->first, end->last);
    const auto keep = [&](index_t a, index_t b) {
      auto piece = *end;
      piece.first = a;
      piece.last = b;
      piece.bytes = bytes_each * count(a, b);
      live.add(piece.batch.segment, piece.bytes);
      rest.push_back(piece);
    };
    if (end->first < first) {
      keep(end->first, first - 1);
      in_front = 1;
    }
    if (end->last > last)
      keep(last + 1, end->last);
    live.remove(end->batch.segment, end->bytes);
  }
  const auto at = static_cast<size_t>(begin - rows_.begin()) + in_front;
  rows_.insert(rows_.erase(begin, end), rest.begin(), rest.end());
  return at;
}

void group_log::move(const log_change& change, std::span<const raft::term_run> runs,
                     log_position batch, segment_rows& live) {
  const auto first = std::max(change.first, begins_after_.index + 1);
  if (first > change.last)
    return;
  extend_unknown(change.last);
  if (has_unknown_)
    fill_terms(first, change.last, runs);
  const auto at = cut_out(first, change.last, live);
  rows_.insert(rows_.begin() + static_cast<ptrdiff_t>(at),
               {first, change.last, batch, record_places_in_segment{batch.offset + change.record},
                true, change.bytes});
  live.add(batch.segment, change.bytes);
  if (at + 1 == rows_.size())
    is_row_open_ = false;
}

void group_log::fill_terms(index_t first, index_t last, std::span<const raft::term_run> runs) {
  std::vector<raft::term_run> merged;
  const auto push = [&](raft::term_run x) {
    if (merged.empty() || merged.back().term != x.term)
      merged.push_back(x);
  };
  for (const auto& run : runs_)
    if (run.first < first)
      push(run);
  for (size_t i = 0; i < runs.size(); ++i)
    if (i + 1 == runs.size() || runs[i + 1].first > first)
      push({std::max(runs[i].first, first), runs[i].term});
  if (last < last_)
    push({last + 1, term_at(last + 1)});
  for (const auto& run : runs_)
    if (run.first > last)
      push(run);
  runs_ = std::move(merged);
  has_unknown_ = std::any_of(runs_.begin(), runs_.end(), [](const auto& x) { return !x.term; });
}

void group_log::end_at(index_t last) {
  extend_unknown(last);
  is_end_known_ = true;
}

void group_log::keep_snapshot(const log_change& change, log_position batch, segment_rows& live) {
  std::erase_if(small_, [&](const auto& x) {
    if (x.index == change.first)
      live.remove(x.batch.segment, x.bytes);
    return x.index == change.first;
  });
  small_.push_back({change.first, batch, change.record, change.bytes});
  live.add(batch.segment, change.bytes);
}

void group_log::drop_snapshots(index_t below, segment_rows& live) {
  std::erase_if(small_, [&](const auto& x) {
    if (x.index < below)
      live.remove(x.batch.segment, x.bytes);
    return x.index < below;
  });
}

void group_log::clear(segment_rows& live) {
  drop_rows_from({}, live);
  for (const auto& x : small_)
    live.remove(x.batch.segment, x.bytes);
  small_.clear();
}

} // namespace caucus::persistence
