#include "persistence/recovered_tail.hpp"

#include "base/crc32c.hpp"
#include "persistence/entries_codec.hpp"
#include "persistence/segment_files.hpp"

namespace caucus::persistence {

namespace {

/// Records that are as close together are read at once, ...
constexpr uint64_t gap_bytes_max = 1024;
/// ... up to this much, which is kept as long as any of its entries is.
constexpr uint64_t stretch_bytes_max = uint64_t{64} << 10;

/// Bytes of one segment.
struct stretch {
  log_position at;
  uint64_t bytes = 0;
  std::shared_ptr<const std::byte[]> memory;

  [[nodiscard]] uint64_t end() const { return at.offset + bytes; }
  [[nodiscard]] bool has(const recovered_tail::record_body& body) const {
    return body.at.segment == at.segment && body.at.offset >= at.offset
           && body.at.offset + body.bytes <= end();
  }
  /// Takes it in if it comes soon enough behind.
  bool extend(const recovered_tail::record_body& body) {
    const auto body_end = body.at.offset + body.bytes;
    if (body.at.segment != at.segment || body.at.offset < end()
        || body.at.offset - end() > gap_bytes_max || body_end - at.offset > stretch_bytes_max)
      return false;
    bytes = body_end - at.offset;
    return true;
  }
};

error damaged(segment_files& log, log_position at) {
  return {errc::wal_corrupt, log.path(at.segment) + " at offset " + std::to_string(at.offset)
                               + ": its disk returned other bytes than a moment ago"};
}

result<void> read_again(stretch& into, segment_files& log) {
  auto segment = log.open(into.at.segment);
  if (!segment)
    return std::move(segment).reason();
  auto memory = std::make_shared_for_overwrite<std::byte[]>(into.bytes);
  auto done = (*segment)->read_at(into.at.offset, {memory.get(), into.bytes});
  if (!done)
    return std::move(done).reason();
  if (*done < into.bytes)
    return damaged(log, into.at);
  into.memory = std::move(memory);
  return {};
}

} // namespace

void recovered_tail::append(const record_body& body, index_t first, index_t last) {
  truncate(first);
  chunks_.push_back({first, last, body});
  bytes_ += body.bytes;
}

void recovered_tail::fill(const record_body& body, index_t first, index_t last) {
  const auto take = [&](std::deque<chunk>::iterator before, index_t begin, index_t end) {
    bytes_ += body.bytes;
    return chunks_.insert(before, {begin, end, body}) + 1;
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
    bytes_ -= chunks_.back().body.bytes;
    chunks_.pop_back();
  }
  if (!chunks_.empty() && chunks_.back().last >= from)
    chunks_.back().last = from - 1;
}

void recovered_tail::drop_upto(index_t last) {
  while (!chunks_.empty() && chunks_.front().last <= last) {
    bytes_ -= chunks_.front().body.bytes;
    chunks_.pop_front();
  }
  if (!chunks_.empty() && chunks_.front().first <= last)
    chunks_.front().first = last + 1;
}

void recovered_tail::shrink(uint64_t bytes_max) {
  while (bytes_ > bytes_max && chunks_.size() > 1) {
    bytes_ -= chunks_.front().body.bytes;
    chunks_.pop_front();
  }
}

result<std::vector<raft::entry_ptr>> recovered_tail::read(segment_files& log) const {
  std::vector<raft::entry_ptr> entries;
  // Older ones may be missing in between: then what is before doesn't count.
  auto begin = chunks_.end();
  while (begin != chunks_.begin()
         && (begin == chunks_.end() || std::prev(begin)->last + 1 == begin->first))
    --begin;
  stretch read;
  for (; begin != chunks_.end(); ++begin) {
    const auto& body = begin->body;
    if (!read.has(body)) {
      read = {body.at, body.bytes, nullptr};
      for (auto next = begin + 1; next != chunks_.end() && read.extend(next->body);)
        ++next;
      if (auto done = read_again(read, log); !done)
        return std::move(done).reason();
    }
    const std::span bytes{read.memory.get() + (body.at.offset - read.at.offset), body.bytes};
    if (crc32c(bytes) != body.crc)
      return damaged(log, body.at);
    entries_cursor cursor{bytes};
    while (cursor.next() && cursor.id().index <= begin->last)
      if (cursor.id().index >= begin->first)
        entries.push_back(cursor.make(read.memory));
  }
  return entries;
}

} // namespace caucus::persistence
