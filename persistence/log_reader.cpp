#include "persistence/log_reader.hpp"

#include "base/crc32c.hpp"
#include "persistence/entries_codec.hpp"
#include "persistence/group_records.hpp"
#include "persistence/read_window.hpp"
#include "persistence/record.hpp"
#include "persistence/segment_files.hpp"

#include <algorithm>

namespace caucus::persistence {

namespace {

constexpr size_t bytes_ahead = size_t{128} << 10;
/// Reading over so much that isn't wanted costs less than another call.
constexpr uint64_t gap_bytes_max = 8192;
/// Of a record nothing is known but where it begins.
constexpr size_t record_bytes_expected = 4096;

/// Of a segment that should be there.
error what_failed(error reason) {
  if (reason.code == errc::not_found)
    reason.code = errc::wal_corrupt;
  return reason;
}

} // namespace

/// What one call has of its answer so far.
struct log_reader::request {
  group_id group;
  replica_uid uid;
  index_t next;
  index_t last;
  size_t bytes_max = 0;
  size_t bytes = 0;
  bool is_full = false;
  std::vector<raft::entry_ptr> entries;
  std::shared_ptr<file> segment; ///< What the window shows.
  read_window window{bytes_ahead};

  bool is_done(index_t upto) const { return is_full || next > upto; }

  /// Takes what is wanted of a record's entries, none after `upto`; false if they aren't the ones
  /// expected here.
  bool take(std::span<const std::byte> body, index_t upto);
};

bool log_reader::request::take(std::span<const std::byte> body, index_t upto) {
  const entries_cursor peek{body};
  if (peek.first() > next)
    return false;
  if (peek.first() + peek.count() <= next)
    return true;
  // A copy of this record alone: a window into the read buffer would keep all groups' records
  // around it in memory.
  const auto owner = std::make_shared<shared_bytes>(shared_bytes::copy_of(body));
  entries_cursor cursor{owner->span()};
  while (cursor.next()) {
    if (cursor.id().index < next)
      continue;
    if (!entries.empty() && bytes + cursor.cost() > bytes_max)
      is_full = true;
    if (is_done(upto))
      return true;
    entries.push_back(cursor.make(owner));
    bytes += cursor.cost();
    ++next;
  }
  return cursor.at_end();
}

/// Walks over the records of one row, until the request has what the row can give.
class log_reader::row_scan {
public:
  row_scan(request& wanted, const log_index::located& row)
    : wanted_{wanted}, row_{row}, upto_{std::min(row.last, wanted.last)} {}

  bool is_done() const { return wanted_.is_done(upto_); }

  result<void> read_record(uint64_t batch_bytes_max) {
    if (next_ == row_.records.size())
      return damaged(row_.records[next_ - 1], "the records hold fewer entries than expected");
    const auto offset = row_.records[next_];
    wanted_.window.look_ahead(bytes_worth_reading());
    auto head = wanted_.window.at(offset, record_header_bytes);
    if (!head)
      return std::move(head).reason();
    const auto record = decode_record_header(*head);
    if (!record || record->bytes > batch_bytes_max)
      return damaged(offset, "the record's header is damaged");
    if (record->group != wanted_.group || record->uid != wanted_.uid
        || record->kind != (row_.is_moved ? record_kind::moved : record_kind::entries))
      return damaged(offset, "another record is here");
    auto whole = wanted_.window.at(offset, record->bytes);
    if (!whole)
      return std::move(whole).reason();
    if (whole->size() < record->bytes)
      return damaged(offset, "the file ends inside the record");
    const auto body = whole->subspan(record_header_bytes);
    if (crc32c(body) != record->body_crc)
      return damaged(offset, "the record's checksum is wrong");
    if (!wanted_.take(body, upto_))
      return damaged(offset, "the record holds other entries than expected");
    ++next_;
    return {};
  }

private:
  /// From the next record on, those that lie close together.
  size_t bytes_worth_reading() const {
    const auto begin = row_.records[next_];
    auto last = next_;
    while (last + 1 < row_.records.size()
           && row_.records[last + 1] - row_.records[last] <= gap_bytes_max
           && row_.records[last + 1] - begin <= bytes_ahead)
      ++last;
    return static_cast<size_t>(row_.records[last] - begin) + record_bytes_expected;
  }

  static error damaged(uint64_t offset, std::string_view reason) {
    return {errc::wal_corrupt, "at offset " + std::to_string(offset) + ": " + std::string{reason}};
  }

  request& wanted_;
  const log_index::located& row_;
  index_t upto_;
  size_t next_ = 0; ///< Of the row's records.
};

log_reader::log_reader(directory& dir, std::shared_ptr<const log_index> index,
                       uint64_t batch_bytes_max)
  : index_{std::move(index)},
    batch_bytes_max_{batch_bytes_max},
    files_{std::make_unique<segment_files>(dir)} {}

log_reader::~log_reader() = default;

result<std::vector<raft::entry_ptr>> log_reader::read(group_id group, index_t first, index_t last,
                                                      size_t bytes_max) {
  request wanted;
  wanted.group = group;
  wanted.next = first;
  wanted.last = last;
  wanted.bytes_max = bytes_max;
  const auto drops = index_->drops(group);
  while (!wanted.is_done(last)) {
    const auto located = index_->locate(group, wanted.next);
    if (!located && wanted.entries.empty())
      return located.reason();
    if (!located || (!wanted.entries.empty() && located->uid != wanted.uid))
      break;
    wanted.uid = located->uid;
    auto done = read_row(wanted, *located);
    if (!done) {
      // If the segment was removed after the look-up, its entries are elsewhere, or gone.
      const auto again = index_->locate(group, wanted.next);
      if (again && again->batch == located->batch)
        return what_failed(std::move(done).reason());
    }
  }
  const auto current = index_->count_current(group, wanted.uid, wanted.entries);
  if (current < wanted.entries.size() && index_->drops(group) == drops)
    return error{errc::wal_corrupt, "the log of group " + std::to_string(group.value())
                                      + " holds entry "
                                      + std::to_string(wanted.entries[current]->id.index.value())
                                      + " with another term than was written"};
  wanted.entries.resize(current);
  if (wanted.entries.empty())
    return error{errc::not_found, "entry " + std::to_string(first.value()) + " of group "
                                    + std::to_string(group.value()) + " was just dropped"};
  return std::move(wanted.entries);
}

result<kept_snapshot> log_reader::read_snapshot(group_id group, index_t last) {
  while (true) {
    const auto located = index_->locate_snapshot(group, last);
    if (!located)
      return located.reason();
    auto found = read_snapshot_at(group, last, *located);
    if (found)
      return found;
    const auto again = index_->locate_snapshot(group, last);
    if (again && again->batch == located->batch)
      return what_failed(std::move(found).reason());
  }
}

result<kept_snapshot> log_reader::read_snapshot_at(group_id group, index_t last,
                                                   const log_index::located& at) {
  auto opened = files_->open(at.batch.segment);
  if (!opened)
    return std::move(opened).reason();
  read_window window{**opened, bytes_ahead};
  const auto offset = at.records[0];
  const auto damaged = [&](std::string_view what) {
    return error{errc::wal_corrupt, files_->path(at.batch.segment) + " at offset "
                                      + std::to_string(offset) + ": " + std::string{what}};
  };
  auto head = window.at(offset, record_header_bytes);
  if (!head)
    return std::move(head).reason();
  const auto record = decode_record_header(*head);
  if (!record || record->group != group || record->uid != at.uid
      || record->kind != record_kind::small_snapshot || record->bytes > batch_bytes_max_)
    return damaged("no small snapshot of the group is here");
  auto whole = window.at(offset, record->bytes);
  if (!whole)
    return std::move(whole).reason();
  const auto body = whole->subspan(std::min(whole->size(), record_header_bytes));
  if (whole->size() < record->bytes || crc32c(body) != record->body_crc)
    return damaged("the small snapshot's checksum is wrong");
  const auto owner = std::make_shared<shared_bytes>(shared_bytes::copy_of(body));
  auto decoded = decode_snapshot_record(owner->span(), true, owner);
  if (!decoded || decoded->mark.snapshot.at.last.index != last)
    return damaged("another small snapshot is here than was written");
  return std::move(decoded->mark.snapshot);
}

void log_reader::forget_upto(uint64_t segment) { files_->forget_upto(segment); }

bool log_reader::holds(uint64_t segment) const { return files_->is_held(segment); }

result<void> log_reader::read_row(request& wanted, const log_index::located& row) {
  auto opened = files_->open(row.batch.segment);
  if (!opened)
    return std::move(opened).reason();
  wanted.segment = *std::move(opened);
  // Also if it is the same file: the row may be younger than what the window read of it.
  wanted.window.show(*wanted.segment);
  row_scan scan{wanted, row};
  while (!scan.is_done())
    if (auto done = scan.read_record(batch_bytes_max_); !done) {
      auto reason = std::move(done).reason();
      if (reason.code == errc::wal_corrupt)
        reason.what = files_->path(row.batch.segment) + " " + reason.what
                      + "; its disk returned other bytes than were written";
      return reason;
    }
  return {};
}

} // namespace caucus::persistence
