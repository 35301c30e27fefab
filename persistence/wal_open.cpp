#include "persistence/log_recovery.hpp"
#include "persistence/node_records.hpp"
#include "persistence/wal_state.hpp"

#include <algorithm>
#include <random>
#include <utility>

namespace caucus::persistence {

namespace {

constexpr uint64_t segment_bytes_min = 2 * segment_header_bytes;
constexpr uint64_t batch_bytes_limit = uint64_t{1} << 31; // Sizes on disk have 32 bits.

result<void> check(const wal_options& x) {
  const auto refuse = [](std::string_view option, uint64_t value, std::string_view range) {
    return error{errc::invalid_option, std::string{option} + " is " + std::to_string(value)
                                         + " but must be " + std::string{range}};
  };
  if (x.segment_bytes < segment_bytes_min)
    return refuse("segment_bytes", x.segment_bytes,
                  "at least " + std::to_string(segment_bytes_min));
  if (x.batch_bytes_max < segment_bytes_min || x.batch_bytes_max > batch_bytes_limit)
    return refuse("batch_bytes_max", x.batch_bytes_max,
                  "between " + std::to_string(segment_bytes_min) + " and "
                    + std::to_string(batch_bytes_limit));
  return {};
}

directory_id draw_directory_id() {
  std::random_device source;
  uint64_t id = 0;
  while (id == 0)
    id = (uint64_t{source()} << 32) | source();
  return directory_id{id};
}

/// Removes what an interrupted rotation left. Names that are already there become durable: the
/// process that made them may have been killed before it could see to that.
result<void> tidy(directory& dir, const segment_catalog& catalog) {
  for (const auto& name : catalog.leftovers)
    if (auto done = dir.remove(name); !done)
      return done;
  return dir.sync();
}

} // namespace

result<opened_wal> wal::open(directory& dir, wal_identity id, wal_options options,
                             const recovery_progress& progress, const recovery_check& accept) {
  if (auto checked = check(options); !checked)
    return std::move(checked).reason();
  auto catalog = segment_catalog::read(dir, id);
  if (!catalog)
    return std::move(catalog).reason();
  auto index = std::make_shared<log_index>();
  auto found = recover_log(dir, options, *catalog, index, progress);
  if (!found)
    return std::move(found).reason();
  auto& recovery = found->recovery;
  if (recovery.was_empty)
    recovery.directory = options.new_directory ? options.new_directory : draw_directory_id();
  if (accept)
    if (auto accepted = accept(recovery); !accepted)
      return std::move(accepted).reason();

  segment_header made_by;
  made_by.identity = id;
  made_by.directory = recovery.directory;
  made_by.epoch = recovery.boot;
  made_by.oldest_segment = found->needed_from;
  auto reader = std::make_shared<log_reader>(dir, index, options.batch_bytes_max);
  auto st = std::make_unique<state>(dir, options, segment_writer{dir, options, made_by}, index,
                                    std::move(reader), recovery.boot, found->end.last_batch);
  st->know(*found, *catalog);
  if (auto tidied = tidy(dir, *catalog); !tidied)
    return std::move(tidied).reason();
  if (auto begun = st->begin(found->end); !begun)
    return std::move(begun).reason();
  std::unique_ptr<wal> log{new wal{std::move(st)}};
  return opened_wal{std::move(log), std::move(recovery)};
}

void wal::state::know(const recovered_log& found, const segment_catalog& catalog) {
  needed_from = found.needed_from;
  for (const auto& x : catalog.segments)
    usage.add_segment(x.header.sequence, x.bytes);
  if (found.recovery.was_empty)
    return;
  for (const auto& group : found.recovery.groups)
    know(group);
  uint64_t node_bytes = 0;
  for (const auto& tombstone : found.recovery.tombstones) {
    deleted[tombstone.group] = tombstone;
    node_bytes += record_header_bytes + encode_body(tombstone).size();
  }
  for (const auto& peer : found.recovery.peers)
    peers[peer.node] = peer.directory;
  founding = found.recovery.founding;
  // Where they are isn't known, so that they count as the oldest: written once more after a start.
  usage.replace(node_place,
                {std::max(usage.oldest(), needed_from), static_cast<uint32_t>(node_bytes)});
}

void wal::state::know(const recovered_group& group) {
  auto& known = groups[group.descriptor.group];
  known.descriptor = group.descriptor;
  known.hard = group.hard;
  known.last = group.last;
  known.begins_after = group.begins_after;
  known.snapshots = group.snapshots;
  known.is_damaged = group.damaged.has_value();
  if (known.is_damaged)
    damaged.insert(group.descriptor.group);
  const auto adopt_place = [this](record_place& into, record_place found) {
    usage.replace(into, found);
  };
  adopt_place(known.places.created, group.places.created);
  adopt_place(known.places.hard, group.places.hard);
  adopt_place(known.places.begin, group.places.begin);
  for (auto& x : known.snapshots) {
    x.bytes = {};
    const auto place = std::exchange(x.place, {});
    adopt_place(x.place, place);
  }
}

result<void> wal::state::begin(const wal_scan::end& end) {
  if (end.tail.segment != 0) {
    if (auto done = writer.resume({end.tail, end.unproven, end.dead_end, end.is_recycled}); !done)
      return done;
    // What was read may have been in the page cache only; now it may be built upon.
    if (auto done = sync(); !done)
      return done;
  }
  // An empty batch makes the new epoch durable before anything is acknowledged in it.
  if (auto done = append_staged(); !done)
    return done;
  publish();
  return sync();
}

} // namespace caucus::persistence
