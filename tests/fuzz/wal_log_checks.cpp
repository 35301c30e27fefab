// What is required of a whole log, whatever bytes it has: it is read as what a writer wrote, or
// refused, or the groups that it concerns are; and the node can go on writing.
#include "apps/sim/disk/memory_directory.hpp"
#include "persistence/log_recovery.hpp"
#include "persistence/log_survey.hpp"
#include "persistence/wal.hpp"
#include "tests/fuzz/wal_checks.hpp"

using namespace caucus;
using namespace caucus::persistence;
using caucus::testing::fuzz_bytes;
using caucus::testing::get;
using caucus::testing::put;
using caucus::testing::require;

namespace {

/// How a log is made of the fuzzer's bytes.
struct choices {
  bool keeps_checksums = false; ///< Those that the bytes have.
  bool damages_bodies = false;  ///< Batches' checksums are wrong, some records' too.
  bool keeps_numbers = false;   ///< Else batches are numbered as they stand.
  bool proves_nothing = false;  ///< No batch says that those before were durable.
  bool misses_front = false;    ///< The first segment was removed.
  bool is_recycled = false;     ///< Behind the batches is what the files held before.
  uint8_t split = 0;            ///< So many batches are in the first file; 0: all.

  static choices of(uint8_t flags, uint8_t split) {
    return {(flags & 1) != 0,
            (flags & 2) != 0,
            (flags & 4) != 0,
            (flags & 8) != 0,
            (flags & 16) != 0,
            (flags & 32) != 0,
            static_cast<uint8_t>(split % 8)};
  }
};

void mend_records(std::span<std::byte> batch, const choices& how) {
  uint32_t count = 0;
  for (size_t at = batch_header_bytes; at + record_header_bytes <= batch.size(); ++count) {
    const auto record = batch.subspan(at);
    const auto bytes = get<uint32_t>(record, 8);
    if (bytes < record_header_bytes || bytes > record.size())
      return;
    const auto body = record.subspan(record_header_bytes, bytes - record_header_bytes);
    put(record, 4, crc32c(body) + (how.damages_bodies && count % 2 == 1 ? 1 : 0));
    put(record, 0, crc32c(record.subspan(4, record_header_bytes - 4)));
    at += padded(bytes);
  }
  put(batch, 36, count);
}

/// Gives batches and records the checksums that their bytes have, as far as there are any; where
/// the second file begins.
size_t mend(std::span<std::byte> area, const choices& how) {
  uint64_t segment = how.misses_front ? 2 : 1;
  size_t begin = 0;
  uint64_t number = 1;
  for (size_t at = 0; at + batch_header_bytes <= area.size(); ++number) {
    if (how.split != 0 && number == how.split + 1u) {
      begin = at;
      ++segment;
    }
    const auto size = get<uint32_t>(area, at + 32);
    const auto batch = area.subspan(at);
    if (size < batch_header_bytes || size % batch_alignment != 0 || size > batch.size())
      break;
    if (!how.keeps_checksums) {
      mend_records(batch.first(size), how);
      put(batch, 0, uint32_t{0x54414243});
      if (!how.keeps_numbers) {
        put(batch, 8, number);
        put(batch, 16, uint64_t{1});
        put(batch, 24, how.proves_nothing ? 0 : number - 1);
      }
      const auto body = batch.first(size).subspan(batch_header_bytes);
      put(batch, 4, crc32c(body) + (how.damages_bodies ? 1 : 0));
      put(batch, batch_header_bytes - 4,
          testing::batch_checksum(
            batch, {testing::fuzz_directory, segment, segment_header_bytes + at - begin}));
    }
    at += size;
  }
  return begin;
}

void put_segment(testing::memory_disk& disk, uint64_t sequence, uint64_t first_batch,
                 uint64_t oldest, std::span<const std::byte> area, bool is_recycled) {
  segment_header header;
  header.identity = testing::fuzz_self;
  header.directory = testing::fuzz_directory;
  header.sequence = sequence;
  header.epoch = boot_count{1};
  header.first_batch = first_batch;
  header.oldest_segment = oldest;
  header.recycled_from = is_recycled ? 1 : 0;
  const auto encoded = encode(header);
  fuzz_bytes content(encoded.begin(), encoded.end());
  content.resize(segment_header_bytes);
  content.insert(content.end(), area.begin(), area.end());
  const auto room = content.size();
  content.resize(room + 512); // For what the start writes.
  for (size_t i = room; is_recycled && !area.empty() && i < content.size(); ++i)
    content[i] = area[(i - room) % area.size()];
  disk.put(segment_name(sequence), std::move(content));
}

wal_options options() {
  wal_options x;
  x.segment_bytes = 2 * segment_header_bytes;
  x.zero_ahead_bytes = 0;
  x.new_directory = testing::fuzz_directory;
  return x;
}

void check_group(const wal& log, const recovered_group& group) {
  if (group.damaged)
    return;
  const auto begin = group.begins_after.last.index;
  require(group.hard.commit >= begin && group.hard.commit <= group.last && group.last >= begin);
  for (const auto& x : group.snapshots) {
    require(x.at.last.index >= begin);
    if (x.is_small)
      require(log.reader()->read_snapshot(group.descriptor.group, x.at.last.index).ok());
  }
  require(!begin || !group.snapshots.empty());
  if (group.last == begin)
    return;
  const auto read =
    log.reader()->read(group.descriptor.group, begin + 1, group.last, size_t{1} << 20);
  require(read.ok() && read->front()->id.index == begin + 1);
  require(read->back()->id.index == group.last && read->size() == group.tail.size());
  for (size_t i = 0; i < read->size(); ++i)
    require((*read)[i]->id == group.tail[i]->id);
}

/// A later start finds `a` as this one did `b`; only a commit index that was ahead of the
/// entries may go on with them.
void require_same(const recovered_group& a, const recovered_group& b) {
  require(a.descriptor == b.descriptor && a.last == b.last && a.hard.commit >= b.hard.commit);
  require(a.hard.term == b.hard.term && a.hard.voted_for == b.hard.voted_for);
  require(a.damaged.has_value() == b.damaged.has_value());
  require(a.begins_after.last == b.begins_after.last && a.snapshots.size() == b.snapshots.size());
  require(a.configurations.size() == b.configurations.size());
}

/// Every group gets one more entry; the log as a whole stays what it is.
void go_on(testing::memory_disk& disk, opened_wal opened) {
  auto& found = opened.recovery;
  for (auto& group : found.groups) {
    check_group(*opened.log, group);
    if (group.damaged || group.last.value() >> 62 != 0)
      continue;
    auto x = std::make_shared<raft::entry>();
    x->id = {group.last + 1, term_t{UINT64_MAX}};
    raft::persist_batch batch;
    batch.entries = {x};
    opened.log->add(group.descriptor.group, batch);
    ++group.last;
  }
  require(opened.log->commit(true).ok());
  opened.log = nullptr;
  disk.kill();
  auto dir = *disk.open();
  const auto again = wal::open(*dir, testing::fuzz_self, options());
  require(again.ok() && again->recovery.groups.size() == found.groups.size());
  require(again->recovery.boot > found.boot && again->recovery.founding == found.founding);
  require(again->recovery.peers.size() == found.peers.size());
  for (size_t i = 0; i < found.groups.size(); ++i) {
    require_same(again->recovery.groups[i], found.groups[i]);
    check_group(*again->log, again->recovery.groups[i]);
  }
}

/// A disk that doesn't answer says nothing of the log: that is never taken for its end, nor for
/// damage.
void check_unreadable(testing::memory_disk& disk, directory& dir, const segment_catalog& catalog,
                      size_t failing) {
  size_t reads = 0;
  disk.on_call([&](const testing::disk_call& x) -> std::optional<error> {
    if (x.kind != testing::disk_call::kind::read || reads++ != failing)
      return std::nullopt;
    return error{errc::io_failed, "cannot read it"};
  });
  const auto read = recover_log(dir, options(), catalog, std::make_shared<log_index>());
  disk.on_call({});
  require(reads <= failing || (!read.ok() && read.reason().code == errc::io_failed));
}

} // namespace

void testing::check_log(fuzz_bytes area, uint8_t flags, uint8_t split) {
  const auto how = choices::of(flags, split);
  const auto begin = mend(area, how);
  const uint64_t first = how.misses_front ? 2 : 1;
  testing::memory_disk disk;
  const auto bytes = std::span<const std::byte>{area};
  put_segment(disk, first, 1, first, begin == 0 ? bytes : bytes.first(begin), how.is_recycled);
  if (begin != 0)
    put_segment(disk, first + 1, how.split + 1u, first, bytes.subspan(begin), how.is_recycled);
  auto dir = *disk.open();
  log_visitor nobody;
  require(log_survey{*dir, nobody}.run().ok());
  const auto catalog = segment_catalog::read(*dir, testing::fuzz_self);
  require(catalog.ok());
  check_unreadable(disk, *dir, *catalog, area.size() % 8);
  const auto read = recover_log(*dir, options(), *catalog, std::make_shared<log_index>());
  auto opened = wal::open(*dir, testing::fuzz_self, options());
  require(opened.ok() == read.ok());
  if (opened)
    go_on(disk, *std::move(opened));
}
