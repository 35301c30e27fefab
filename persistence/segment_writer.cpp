#include "persistence/segment_writer.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace caucus::persistence {

namespace {

constexpr size_t zeros_step = size_t{1} << 20;
constexpr uint64_t block_bytes = 4096;
/// What `prepare` does at a time: enough to be worth a write, and never long.
constexpr uint64_t prepare_bytes_min = uint64_t{256} << 10;
constexpr uint64_t prepare_bytes_max = uint64_t{512} << 10;

} // namespace

segment_writer::segment_writer(directory& dir, const wal_options& options,
                               const segment_header& made_by)
  : directory_{dir},
    options_{options},
    header_{made_by},
    zeros_(std::min<uint64_t>(zeros_step, std::max(options.zero_ahead_bytes, block_bytes))) {
  header_.sequence = 0;
}

result<void> segment_writer::resume(const recovered_end& found) {
  auto opened = directory_.open(segment_name(found.tail.segment));
  if (!opened)
    return std::move(opened).reason();
  file_ = *std::move(opened);
  auto size = file_->size();
  if (!size)
    return std::move(size).reason();
  header_.sequence = found.tail.segment;
  offset_ = found.tail.offset;
  file_bytes_ = *size;
  is_synced_ = false; // Whoever wrote what was recovered may have been killed before its sync.
  // After a sync that failed the page cache may show what the disk will never have, and the next
  // sync would tell nothing of it (RELIABILITY E-02).
  if (auto done = write_again(found.unproven, offset_); !done)
    return done;
  // Dead bytes are told from live ones by their older epoch; without them there is nothing to tell.
  if (auto done = zero(offset_, found.dead_end); !done)
    return done;
  zeroed_upto_ = found.is_recycled ? file_bytes_ : std::max(offset_, found.dead_end);
  return {};
}

result<void> segment_writer::reserve(uint64_t bytes) {
  const auto wanted = std::max(options_.segment_bytes, segment_header_bytes + bytes);
  const auto name = unfinished_segment_name(header_.sequence + 1);
  if (!reserved_)
    if (auto done = take_spare_or_make(name); !done)
      return done;
  while (reserved_bytes_ < wanted) {
    auto done = allocate_reserved(name, wanted);
    if (done)
      break;
    // The other spares' blocks may be what is missing.
    auto removed = done.reason().code == errc::no_space ? remove_spare() : result<bool>{false};
    if (!removed)
      return std::move(removed).reason();
    if (!*removed)
      return done;
  }
  return {};
}

result<void> segment_writer::take_spare_or_make(const std::string& name) {
  auto taken = take_spare(name);
  if (taken && !*taken)
    taken = directory_.create(name);
  if (!taken)
    return std::move(taken).reason();
  reserved_ = *std::move(taken);
  prepared_upto_ = reserved_bytes_;
  can_prepare_ = true;
  return {};
}

result<std::unique_ptr<file>> segment_writer::take_spare(const std::string& name) {
  reserved_from_ = reserved_bytes_ = 0;
  for (; !spares_.empty(); spares_.pop_front()) {
    const auto sequence = spares_.front().sequence;
    auto opened = open_as(spares_.front(), name);
    if (!opened && opened.reason().code == errc::not_found)
      continue;
    if (opened) {
      reserved_from_ = sequence;
      reserved_bytes_ = options_.segment_bytes;
      spares_.pop_front();
    }
    return opened;
  }
  return std::unique_ptr<file>{};
}

result<std::unique_ptr<file>> segment_writer::open_as(spare& next, const std::string& name) {
  // The new name needn't be durable: a start removes either.
  if (next.name != name)
    if (auto renamed = directory_.rename(next.name, name); !renamed)
      return std::move(renamed).reason();
  next.name = name; // If it can't be opened for now it has that already.
  return directory_.open(name);
}

result<bool> segment_writer::remove_spare() {
  if (spares_.empty())
    return false;
  auto removed = directory_.remove(spares_.back().name);
  if (!removed && removed.reason().code != errc::not_found)
    return std::move(removed).reason();
  spares_.pop_back();
  return true;
}

result<void> segment_writer::allocate_reserved(const std::string& name, uint64_t wanted) {
  auto done = reserved_->allocate(wanted);
  if (done)
    reserved_bytes_ = wanted;
  if (done || reserved_bytes_ > 0) // If it wasn't enough, what it has stays its own.
    return done;
  reserved_ = nullptr;
  // What it got of the last blocks, others need. A name that stays is reused, or goes at a start.
  if (auto removed = directory_.remove(name); !removed && done.reason().code == errc::no_space)
    return removed;
  return done;
}

result<void> segment_writer::prepare() {
  // Twice as fast as the log grows: ready in time, though large batches are ahead of it.
  const auto wanted = std::min(2 * unprepared_, prepare_bytes_max) & ~(block_bytes - 1);
  if (!reserved_ || !can_prepare_ || options_.zero_ahead_bytes == 0 || wanted < prepare_bytes_min
      || prepared_upto_ >= reserved_bytes_)
    return {};
  unprepared_ = 0;
  const auto end = std::min(prepared_upto_ + wanted, reserved_bytes_);
  auto done = write_zeros(*reserved_, prepared_upto_, end);
  can_prepare_ = done.ok();
  if (!done)
    return done;
  reserved_->begin_writing(prepared_upto_, end - prepared_upto_);
  prepared_upto_ = end;
  return {};
}

result<void> segment_writer::start_next(uint64_t first_batch, uint64_t bytes) {
  if (auto done = reserve(bytes); !done)
    return done;
  if (file_)
    if (auto synced = sync(); !synced)
      return synced;
  header_.first_batch = first_batch;
  header_.recycled_from = reserved_from_;
  ++header_.sequence;
  const auto unfinished = unfinished_segment_name(header_.sequence);
  file_ = std::move(reserved_);
  opened_for_sync_ = {};
  file_bytes_ = reserved_bytes_;
  if (auto done = file_->write_at(0, encode(header_)); !done)
    return done;
  if (auto done = file_->sync(); !done)
    return done;
  if (auto done = directory_.rename(unfinished, segment_name(header_.sequence)); !done)
    return done;
  if (auto done = directory_.sync(); !done)
    return done;
  offset_ = segment_header_bytes;
  zeroed_upto_ = std::max(offset_, prepared_upto_);
  prepared_upto_ = 0;
  is_synced_ = true;
  return {};
}

bool segment_writer::fits(uint64_t bytes) const noexcept {
  return file_ && offset_ + bytes <= file_bytes_;
}

batch_place segment_writer::place() const noexcept {
  return {header_.directory, header_.sequence, offset_};
}

result<void> segment_writer::append(std::span<const std::byte> batch) {
  CAUCUS_ASSERT(fits(batch.size()));
  is_synced_ = false;
  if (auto done = file_->write_at(offset_, batch); !done)
    return done;
  offset_ += batch.size();
  // Small batches are bound by the sync, and that is faster over blocks that were written before;
  // large ones by bandwidth, and for them it would be wasted (docs/wal_format.md, section 7).
  if (batch.size() * 4 > options_.zero_ahead_bytes)
    return {};
  unprepared_ += batch.size();
  if (offset_ + block_bytes <= zeroed_upto_)
    return {};
  const auto end = (offset_ + options_.zero_ahead_bytes) & ~(block_bytes - 1);
  return zero(std::max(offset_, zeroed_upto_), std::min(end, file_bytes_));
}

result<void> segment_writer::sync() {
  if (is_synced_)
    return {};
  auto done = file_->sync();
  is_synced_ = done.ok();
  return done;
}

result<std::shared_ptr<file>> segment_writer::opened_for_sync(size_t thread) {
  auto& opened = opened_for_sync_[thread];
  if (!opened) {
    auto again = directory_.open(segment_name(header_.sequence));
    if (!again)
      return std::move(again).reason();
    opened = *std::move(again);
  }
  return opened;
}

result<void> segment_writer::write_again(uint64_t begin, uint64_t end) {
  std::vector<std::byte> bytes(std::min<uint64_t>(zeros_step, end - begin));
  while (begin < end) {
    const auto step = std::span{bytes}.first(std::min<uint64_t>(bytes.size(), end - begin));
    auto count = file_->read_at(begin, step);
    if (!count)
      return std::move(count).reason();
    if (*count < step.size())
      return error{errc::io_failed, segment_name(header_.sequence) + " has become shorter"};
    if (auto done = file_->write_at(begin, step); !done)
      return done;
    begin += step.size();
  }
  return {};
}

result<void> segment_writer::write_zeros(file& into, uint64_t begin, uint64_t end) const {
  for (; begin < end; begin += zeros_.size()) {
    const auto step = std::min<uint64_t>(zeros_.size(), end - begin);
    if (auto done = into.write_at(begin, std::span{zeros_}.first(step)); !done)
      return done;
  }
  return {};
}

result<void> segment_writer::zero(uint64_t begin, uint64_t end) {
  if (auto done = write_zeros(*file_, begin, end); !done)
    return done;
  zeroed_upto_ = std::max(zeroed_upto_, end);
  return {};
}

} // namespace caucus::persistence
