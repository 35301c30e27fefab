#include "persistence/log_recovery.hpp"
#include "persistence/wal_state.hpp"

#include <random>

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
  if (!recovery.was_empty)
    made_by.oldest_segment = catalog->segments.back().header.oldest_segment;
  auto reader =
    std::make_shared<log_reader>(dir, recovery.directory, index, options.batch_bytes_max);
  auto st = std::make_unique<state>(options, segment_writer{dir, options, made_by}, index,
                                    std::move(reader), recovery.boot, found->end.last_batch);
  for (const auto& group : recovery.groups)
    st->know(group);
  for (const auto& tombstone : recovery.tombstones)
    st->deleted.insert(tombstone.group);
  if (auto tidied = tidy(dir, *catalog); !tidied)
    return std::move(tidied).reason();
  if (auto begun = st->begin(found->end.tail, found->end.dead_end); !begun)
    return std::move(begun).reason();
  std::unique_ptr<wal> log{new wal{std::move(st)}};
  return opened_wal{std::move(log), std::move(recovery)};
}

void wal::state::know(const recovered_group& group) {
  auto& known = groups[group.descriptor.group];
  known.descriptor = group.descriptor;
  known.last = group.last;
  known.begins_after = group.begins_after;
  known.snapshots = group.snapshots;
  for (auto& x : known.snapshots)
    x.bytes = {};
  known.is_damaged = group.damaged.has_value();
}

result<void> wal::state::begin(log_position tail, uint64_t dead_end) {
  if (tail.segment != 0) {
    if (auto done = writer.resume(tail, dead_end); !done)
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
