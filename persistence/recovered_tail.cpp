#include "persistence/recovered_tail.hpp"

#include "persistence/entries_codec.hpp"

namespace caucus::persistence {

void recovered_tail::append(std::span<const std::byte> body, index_t first, index_t last) {
  truncate(first);
  chunks_.push_back({first, last, std::make_shared<shared_bytes>(shared_bytes::copy_of(body))});
  bytes_ += body.size();
}

void recovered_tail::fill(std::span<const std::byte> body, index_t first, index_t last) {
  std::shared_ptr<shared_bytes> copy;
  const auto take = [&](std::deque<chunk>::iterator before, index_t begin, index_t end) {
    if (!copy)
      copy = std::make_shared<shared_bytes>(shared_bytes::copy_of(body));
    bytes_ += copy->size();
    return chunks_.insert(before, {begin, end, copy}) + 1;
  };
  auto at = chunks_.begin();
  while (first <= last) {
    while (at != chunks_.end() && at->last < first)
      ++at;
    if (at == chunks_.end() || at->first > last) {
      take(at, first, last);
      return;
    }
    if (at->first > first)
      at = take(at, first, at->first - 1);
    first = at->last + 1;
  }
}

void recovered_tail::truncate(index_t from) {
  while (!chunks_.empty() && chunks_.back().first >= from) {
    bytes_ -= chunks_.back().body->size();
    chunks_.pop_back();
  }
  if (!chunks_.empty() && chunks_.back().last >= from)
    chunks_.back().last = from - 1;
}

void recovered_tail::drop_upto(index_t last) {
  while (!chunks_.empty() && chunks_.front().last <= last) {
    bytes_ -= chunks_.front().body->size();
    chunks_.pop_front();
  }
  if (!chunks_.empty() && chunks_.front().first <= last)
    chunks_.front().first = last + 1;
}

void recovered_tail::shrink(uint64_t bytes_max) {
  while (bytes_ > bytes_max) {
    bytes_ -= chunks_.front().body->size();
    chunks_.pop_front();
  }
}

std::vector<raft::entry_ptr> recovered_tail::decode() const {
  std::vector<raft::entry_ptr> entries;
  // Older ones may be missing in between: then what is before doesn't count.
  auto begin = chunks_.end();
  while (begin != chunks_.begin()
         && (begin == chunks_.end() || std::prev(begin)->last + 1 == begin->first))
    --begin;
  for (; begin != chunks_.end(); ++begin) {
    const auto& x = *begin;
    entries_cursor cursor{x.body->span()};
    while (cursor.next() && cursor.id().index <= x.last)
      if (cursor.id().index >= x.first)
        entries.push_back(cursor.make(x.body));
  }
  return entries;
}

} // namespace caucus::persistence
