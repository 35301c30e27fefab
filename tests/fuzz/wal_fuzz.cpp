// libFuzzer: whatever bytes a log has, it is read as what a writer wrote, or refused, or the groups
// that it concerns are; what is read stays so over the next start, and the node can go on writing.
// Checksums are put right, so that what lies behind them is reached. Build with
//   clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/wal_fuzz.cpp
//     apps/sim/disk/memory_directory.cpp $(ls persistence/*.cpp | grep -v posix)
//     membership/{configuration,configuration_codec,endpoint_codec,founding}.cpp
//     raft/term_runs.cpp base/{assert,crc32c,errc,ids}.cpp
// The test "fuzz: wal" plays tests/fuzz/wal and some thousand samples on every compiler.
#include "apps/sim/disk/memory_directory.hpp"
#include "base/crc32c.hpp"
#include "persistence/log_recovery.hpp"
#include "persistence/log_survey.hpp"
#include "persistence/wal.hpp"
#include "tests/fuzz/wal_samples.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace caucus;
using namespace caucus::persistence;

namespace {

using file_bytes = std::vector<std::byte>;

constexpr wal_identity self{cluster_id{0xc1}, node_id{1}};
constexpr directory_id here{0xd1};

void require(bool holds, int line = __builtin_LINE()) {
  if (holds)
    return;
  std::fprintf(stderr, "wal_fuzz.cpp:%d: what is required doesn't hold\n", line);
  std::abort();
}

template <class T>
T get(std::span<const std::byte> bytes, size_t offset) {
  T x = 0;
  std::memcpy(&x, bytes.data() + offset, sizeof x);
  return x;
}

template <class T>
void put(std::span<std::byte> bytes, size_t offset, T x) {
  std::memcpy(bytes.data() + offset, &x, sizeof x);
}

bool is_equal(std::span<const std::byte> a, std::span<const std::byte> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

// -- single decoders --------------------------------------------------------------

uint32_t batch_checksum(std::span<const std::byte> header, const batch_place& place) {
  const std::array<uint64_t, 3> where{place.directory.value(), place.segment, place.offset};
  return crc32c(header.first(batch_header_bytes - 4), crc32c(std::as_bytes(std::span{where})));
}

/// So that reading beyond the end is seen.
file_bytes without_last_byte(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end() - 1};
}

void check_batch_header(file_bytes bytes, bool is_mended) {
  const batch_place place{here, 3, 4096};
  if (is_mended && bytes.size() >= batch_header_bytes) {
    put(bytes, 0, uint32_t{0x54414243});
    put(bytes, batch_header_bytes - 4, batch_checksum(bytes, place));
  }
  const auto header = decode_batch_header(bytes, place);
  if (!header)
    return;
  require(may_begin_batch(bytes));
  file_bytes again(batch_header_bytes);
  encode(*header, place, again);
  require(is_equal(again, std::span{bytes}.first(batch_header_bytes)));
  require(!decode_batch_header(bytes, {here, 3, 4104}));
  require(!decode_batch_header(without_last_byte(again), place));
}

void check_record_header(file_bytes bytes, bool is_mended) {
  if (is_mended && bytes.size() >= record_header_bytes)
    put(bytes, 0, crc32c(std::span{bytes}.subspan(4, record_header_bytes - 4)));
  const auto header = decode_record_header(bytes);
  if (!header)
    return;
  file_bytes again(record_header_bytes);
  encode(*header, again);
  require(is_equal(again, std::span{bytes}.first(record_header_bytes)));
  require(!decode_record_header(without_last_byte(again)));
  require(is_readable(header->kind) == (to_string(header->kind) != "unknown"));
}

void check_segment_header(file_bytes bytes, bool is_mended) {
  const std::string text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  if (is_mended && bytes.size() >= segment_header_used) {
    put(bytes, 0, uint64_t{0x4c57737563756143});
    put(bytes, segment_header_used - 4, crc32c(std::span{bytes}.first(segment_header_used - 4)));
  }
  if (const auto sequence = parse_segment_name(text))
    require(segment_name(*sequence) == text && !is_unfinished_segment_name(text));
  const auto header = decode_segment_header(bytes);
  if (!header)
    return;
  const auto again = encode(*header);
  require(decode_segment_header(again).ok() && *decode_segment_header(again) == *header);
  require(!decode_segment_header(without_last_byte(again)));
  require(parse_segment_name(segment_name(header->sequence)).value_or(0) == header->sequence);
  require(is_unfinished_segment_name(unfinished_segment_name(header->sequence | 1)));
}

/// What decodes means the same after another round; from then on the bytes are the same, too.
template <class Decode>
bool survives_a_round(std::span<const std::byte> body, const Decode& decode) {
  const auto got = decode(body);
  if (!got)
    return false;
  const auto bytes = encode_body(*got);
  const auto again = decode(std::span<const std::byte>{bytes});
  require(again && encode_body(*again) == bytes);
  return true;
}

bool check_entries(std::span<const std::byte> body, record_kind kind) {
  const auto owner = std::make_shared<file_bytes>(body.begin(), body.end());
  entries_cursor cursor{*owner};
  std::vector<raft::entry_ptr> entries;
  bool decodes = true;
  while (cursor.next()) {
    entries.push_back(cursor.make(owner));
    require(entries.back()->id == cursor.id() && entries.back()->cost() == cursor.cost());
    if (cursor.kind() == raft::entry_kind::configuration)
      decodes = decodes && membership::decode_payload(cursor.payload());
  }
  if (!cursor.at_end() || entries.empty() || !cursor.first())
    return false;
  batch_buffer buffer;
  buffer.add_entries(group_id{1}, replica_uid{7}, entries, kind);
  const auto batch = buffer.seal({.number = 1}, {});
  const auto header = decode_record_header(batch.subspan(batch_header_bytes));
  require(header && header->bytes == record_header_bytes + body.size());
  entries_cursor again{batch.subspan(batch_header_bytes + record_header_bytes, body.size())};
  for (const auto& x : entries) {
    require(again.next() && again.id() == x->id && again.kind() == x->body.kind);
    require(is_equal(again.payload(), x->body.payload.span()));
  }
  return decodes;
}

bool decodes(record_kind kind, group_id group, std::span<const std::byte> body) {
  const replica_uid uid{7};
  switch (kind) {
    case record_kind::entries:
    case record_kind::moved: return check_entries(body, kind);
    case record_kind::hard_state: return decode_hard_state(body).has_value();
    case record_kind::truncation:
    case record_kind::peer_forgotten: return decode_numbers(body, 1).has_value();
    case record_kind::peer_identity: return decode_numbers(body, 2).has_value();
    case record_kind::founding: return survives_a_round(body, decode_founding);
    case record_kind::group_created:
      return survives_a_round(
        body, [&](auto bytes) { return decode_group_descriptor(group, uid, bytes); });
    case record_kind::group_deleted:
      return survives_a_round(body,
                              [&](auto bytes) { return decode_group_tombstone(group, bytes); });
    case record_kind::snapshot_mark:
    case record_kind::small_snapshot: {
      const bool has_bytes = kind == record_kind::small_snapshot;
      return survives_a_round(body, [&](std::span<const std::byte> bytes) {
        const auto owner = std::make_shared<file_bytes>(bytes.begin(), bytes.end());
        return decode_snapshot_record(*owner, has_bytes, owner);
      });
    }
    case record_kind::checkpoint:
      if (!group)
        return decode_numbers(body, 1).has_value();
      return survives_a_round(
        body, [&](auto bytes) { return decode_group_checkpoint(group, uid, bytes); });
  }
  return false;
}

/// A survey and a start agree on whether a body means something.
void check_body(std::span<const std::byte> bytes) {
  if (bytes.empty())
    return;
  record_header header;
  header.kind = static_cast<record_kind>(static_cast<uint8_t>(bytes[0]) % 14);
  header.group = group_id{static_cast<uint8_t>(bytes[0]) / 14 % 2u};
  header.uid = replica_uid{7};
  const auto body = bytes.subspan(1);
  require(decodes(header.kind, header.group, body) == find_flaw(header, body).empty());
}

// -- whole logs -------------------------------------------------------------------

/// How a log is made of the fuzzer's bytes.
struct choices {
  bool keeps_checksums = false; ///< Those that the bytes have.
  bool damages_bodies = false;  ///< Batches' checksums are wrong, some records' too.
  bool keeps_numbers = false;   ///< Else batches are numbered as they stand.
  bool proves_nothing = false;  ///< No batch says that those before were durable.
  bool misses_front = false;    ///< The first segment was removed.
  uint8_t split = 0;            ///< So many batches are in the first file; 0: all.

  static choices of(uint8_t flags, uint8_t split) {
    return {(flags & 1) != 0, (flags & 2) != 0,  (flags & 4) != 0,
            (flags & 8) != 0, (flags & 16) != 0, static_cast<uint8_t>(split % 8)};
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
          batch_checksum(batch, {here, segment, segment_header_bytes + at - begin}));
    }
    at += size;
  }
  return begin;
}

void put_segment(testing::memory_disk& disk, uint64_t sequence, uint64_t first_batch,
                 uint64_t oldest, std::span<const std::byte> area) {
  segment_header header;
  header.identity = self;
  header.directory = here;
  header.sequence = sequence;
  header.epoch = boot_count{1};
  header.first_batch = first_batch;
  header.oldest_segment = oldest;
  const auto encoded = encode(header);
  file_bytes content(encoded.begin(), encoded.end());
  content.resize(segment_header_bytes);
  content.insert(content.end(), area.begin(), area.end());
  content.resize(content.size() + 512); // Room for what the start writes.
  disk.put(segment_name(sequence), std::move(content));
}

wal_options options() {
  wal_options x;
  x.segment_bytes = 2 * segment_header_bytes;
  x.zero_ahead_bytes = 0;
  x.new_directory = here;
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
  const auto again = wal::open(*dir, self, options());
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

void check_log(file_bytes area, const choices& how) {
  const auto begin = mend(area, how);
  const uint64_t first = how.misses_front ? 2 : 1;
  testing::memory_disk disk;
  const auto bytes = std::span<const std::byte>{area};
  put_segment(disk, first, 1, first, begin == 0 ? bytes : bytes.first(begin));
  if (begin != 0)
    put_segment(disk, first + 1, how.split + 1u, first, bytes.subspan(begin));
  auto dir = *disk.open();
  log_visitor nobody;
  require(log_survey{*dir, nobody}.run().ok());
  const auto catalog = segment_catalog::read(*dir, self);
  require(catalog.ok());
  check_unreadable(disk, *dir, *catalog, area.size() % 8);
  const auto read = recover_log(*dir, options(), *catalog, std::make_shared<log_index>());
  auto opened = wal::open(*dir, self, options());
  require(opened.ok() == read.ok());
  if (opened)
    go_on(disk, *std::move(opened));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3)
    return 0;
  const auto input = std::as_bytes(std::span{data, size});
  file_bytes bytes(input.begin() + 3, input.end());
  const bool is_mended = data[1] % 4 != 0;
  switch (data[0] % 8) {
    case 0: check_batch_header(std::move(bytes), is_mended); break;
    case 1: check_record_header(std::move(bytes), is_mended); break;
    case 2: check_segment_header(std::move(bytes), is_mended); break;
    case 3: check_body(bytes); break;
    default: check_log(std::move(bytes), choices::of(data[1], data[2]));
  }
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed);
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  // Without a corpus: now and then start over from a sound input, one time in two as it is.
  if (seed % 32 == 0 || size < 4) {
    const auto input = testing::sound_input(seed / 32);
    if (input.size() <= max_size) {
      std::memcpy(data, input.data(), input.size());
      size = input.size();
      if (seed % 64 == 0)
        return size;
    }
  }
  return LLVMFuzzerMutate(data, size, max_size);
}
