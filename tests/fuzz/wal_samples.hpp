#pragma once

#include "base/rng.hpp"
#include "membership/configuration_codec.hpp"
#include "persistence/batch_buffer.hpp"
#include "persistence/group_records.hpp"
#include "persistence/node_records.hpp"
#include "persistence/segment_header.hpp"

#include <algorithm>
#include <array>

namespace caucus::testing {

/// Batches as a log's writer could have written them, now and then with something that it couldn't,
/// drawn from a seed: what a fuzzer begins with.
class wal_samples {
public:
  explicit wal_samples(uint64_t seed) : random_{seed} {}

  /// The next batch, as if it stood at `offset` of the first segment.
  std::vector<std::byte> batch(uint64_t offset) {
    buffer_.clear();
    for (auto count = random_.below(4); count > 0; --count)
      add_record();
    persistence::batch_header header;
    header.number = ++number_;
    header.epoch = boot_count{1};
    header.durable_upto = number_ - 1;
    const auto bytes = buffer_.seal(header, {directory_id{0xd1}, 1, offset});
    return {bytes.begin(), bytes.end()};
  }

private:
  struct group_log {
    bool exists = false;
    uint64_t begin = 0;
    uint64_t last = 0;
    uint64_t term = 1;
    std::vector<persistence::kept_snapshot> snapshots; ///< Newest first.
  };

  void add_record() {
    const auto which = random_.below(3);
    const group_id id{which + 1};
    const replica_uid uid{which + 7};
    auto& log = logs_.at(which);
    if (!log.exists && random_.chance(95))
      return create(id, log);
    switch (random_.below(12)) {
      case 0: return node_record();
      case 1: return checkpoint(id, uid, log);
      case 2: return remove(id, uid, log);
      case 3: return truncate(id, uid, log);
      case 4: return moved(id, uid, log);
      case 5:
      case 6:
      case 7: return mark(id, uid, log);
      case 8:
        buffer_.add(persistence::record_kind::hard_state, id, uid,
                    {log.term, random_.below(4), random_.below(log.last + 2)});
        return;
      default: return append(id, uid, log);
    }
  }

  /// Mostly `usual`.
  uint64_t odd(uint64_t usual) {
    if (random_.chance(96))
      return usual;
    return random_.chance(80) ? random_.below(usual + 6) : random_.next();
  }

  static raft::snapshot_boundary boundary(uint64_t index, uint64_t term) {
    membership::configuration members;
    members.voters = {node_id{1 + index % 3}};
    members.addresses[node_id{1 + index % 3}] = {"host", 7001};
    return {{index_t{index}, term_t{term}},
            {index_t{1}, std::make_shared<const membership::configuration>(std::move(members))}};
  }

  static persistence::group_descriptor descriptor(group_id id) {
    persistence::group_descriptor x;
    x.group = id;
    x.generation = 1;
    x.name = "g" + std::to_string(id.value());
    x.uid = replica_uid{id.value() + 6};
    x.members.voters = {node_id{1}, node_id{2}};
    return x;
  }

  void create(group_id id, group_log& log) {
    log = {.exists = true};
    const auto x = descriptor(id);
    buffer_.add(persistence::record_kind::group_created, id, x.uid, encode_body(x));
  }

  void remove(group_id id, replica_uid uid, group_log& log) {
    if (random_.chance(60))
      return;
    log = {};
    const persistence::group_tombstone x{id, 1, "g"};
    buffer_.add(persistence::record_kind::group_deleted, id, uid, encode_body(x));
  }

  static raft::entry_ptr entry(uint64_t index, uint64_t term) {
    auto x = std::make_shared<raft::entry>();
    x->id = {index_t{index}, term_t{term}};
    x->wall_ns = static_cast<int64_t>(index);
    if ((index + term) % 7 == 0) { // A moved one is the same as before.
      x->body.kind = raft::entry_kind::configuration;
      x->body.payload =
        shared_bytes::copy_of(membership::encode_payload(*boundary(index, term).members.members));
    } else {
      x->body.payload = shared_bytes::copy_of(std::string((index * 5 + term) % 40, 'p'));
    }
    return x;
  }

  void append(group_id id, replica_uid uid, group_log& log) {
    if (random_.chance(30))
      ++log.term;
    const auto first = odd(log.last + 1);
    std::vector<raft::entry_ptr> entries;
    for (uint64_t i = 0; i <= random_.below(3); ++i)
      entries.push_back(entry(first + i, log.term));
    buffer_.add_entries(id, uid, entries);
    log.last = entries.back()->id.index.value();
  }

  void moved(group_id id, replica_uid uid, group_log& log) {
    if (log.last <= log.begin)
      return;
    const auto first =
      odd(log.begin + 1 + random_.below(std::min<uint64_t>(9, log.last - log.begin)));
    const std::vector entries{entry(first, odd(log.term))};
    buffer_.add_entries(id, uid, entries, persistence::record_kind::moved);
  }

  void truncate(group_id id, replica_uid uid, group_log& log) {
    if (log.last <= log.begin)
      return;
    buffer_.add(persistence::record_kind::truncation, id, uid, {odd(log.last)});
    --log.last;
    ++log.term;
  }

  void mark(group_id id, replica_uid uid, group_log& log) {
    persistence::snapshot_record x;
    x.restarts = random_.chance(15);
    const auto at = odd(x.restarts ? log.last + 3 : std::max<uint64_t>(log.last, 1));
    const auto begin = x.restarts ? at : odd(log.snapshots.empty() ? 0 : log.begin);
    const bool is_small = random_.chance(50);
    x.mark.snapshot.at = boundary(std::max<uint64_t>(at, 1), log.term);
    x.mark.snapshot.is_small = is_small;
    if (is_small && random_.chance(90))
      x.mark.snapshot.bytes = shared_bytes::copy_of(std::string_view{"state"});
    x.mark.begins_after = boundary(begin, log.term);
    if (persistence::keep(log.snapshots, x.mark.snapshot, index_t{begin}) && x.restarts)
      log.last = at;
    log.begin = std::max(log.begin, begin);
    const auto kind = is_small && !x.mark.snapshot.bytes.empty()
                        ? persistence::record_kind::small_snapshot
                        : persistence::record_kind::snapshot_mark;
    buffer_.add(kind, id, uid, encode_body(x));
  }

  void checkpoint(group_id id, replica_uid uid, group_log& log) {
    persistence::group_checkpoint x;
    x.descriptor = descriptor(id);
    x.hard = {term_t{log.term}, node_id{1}, index_t{log.last}};
    x.last = index_t{odd(log.last)};
    if (log.begin != 0)
      x.begins_after = boundary(log.begin, log.term);
    x.snapshots = log.snapshots;
    buffer_.add(persistence::record_kind::checkpoint, id, uid, encode_body(x));
  }

  void node_record() {
    using persistence::record_kind;
    switch (random_.below(4)) {
      case 0: return void(buffer_.add(record_kind::peer_identity, {}, {}, {1, random_.below(9)}));
      case 1: return void(buffer_.add(record_kind::peer_forgotten, {}, {}, {1}));
      case 2: return void(buffer_.add(record_kind::checkpoint, {}, {}, {odd(1)}));
      default:
        buffer_.add(record_kind::founding, {}, {},
                    persistence::encode_body(membership::founding{founding_id{7}, "1,2"}));
    }
  }

  rng random_;
  persistence::batch_buffer buffer_;
  std::array<group_log, 3> logs_;
  uint64_t number_ = 0;
};

/// One record of a batch, after as many others; empty if it has fewer.
inline std::span<const std::byte> record_of(std::span<const std::byte> batch, uint64_t skipped) {
  auto rest = batch.subspan(persistence::batch_header_bytes);
  while (true) {
    const auto header = persistence::decode_record_header(rest);
    if (!header)
      return {};
    if (skipped-- == 0)
      return rest.first(header->bytes);
    rest = rest.subspan(persistence::padded(header->bytes));
  }
}

/// A sound input for one of the cases of wal_fuzz.cpp.
inline std::vector<std::byte> sound_input(uint64_t seed) {
  rng random{seed};
  const auto which = static_cast<uint8_t>(random.below(8));
  auto flags = static_cast<uint8_t>(random.below(64));
  if (random.chance(50))
    flags &= 16 | 32;
  const auto split = static_cast<uint8_t>(random.chance(60) ? 0 : random.below(8));
  std::vector<std::byte> input{std::byte{which}, std::byte{flags}, std::byte{split}};
  const auto add = [&](std::span<const std::byte> bytes) {
    input.insert(input.end(), bytes.begin(), bytes.end());
  };
  if (which == 2) {
    add(persistence::encode(persistence::segment_header{.sequence = 1}));
    return input;
  }
  wal_samples log{random.next()};
  uint64_t offset = persistence::segment_header_bytes;
  for (auto count = 2 + random.below(8); count > 0; --count) {
    const auto batch = log.batch(offset);
    offset += batch.size();
    if (which != 1 && which != 3) {
      add(batch);
      continue;
    }
    const auto record = record_of(batch, random.below(3));
    const auto header = persistence::decode_record_header(record);
    if (!header)
      continue;
    if (which == 1) {
      add(record);
    } else {
      input.push_back(
        static_cast<std::byte>(static_cast<uint8_t>(header->kind) + (header->group ? 14 : 0)));
      add(record.subspan(persistence::record_header_bytes));
    }
    return input;
  }
  return input;
}

} // namespace caucus::testing
