#include "persistence/wal_scan.hpp"

#include "base/assert.hpp"
#include "base/crc32c.hpp"

#include <algorithm>

namespace caucus::persistence {

namespace {

/// So little that what was read is still in the CPU's cache when it is looked at.
constexpr size_t bytes_ahead = size_t{256} << 10;
constexpr uint64_t progress_step = uint64_t{16} << 20;

} // namespace

wal_scan::wal_scan(directory& dir, const wal_options& options, const segment_catalog& catalog,
                   wal_replay& replay, const recovery_progress& progress)
  : directory_{dir}, options_{options}, catalog_{catalog}, replay_{replay}, progress_{progress} {
  for (const auto& segment : catalog.segments)
    bytes_total_ += segment.bytes;
}

result<wal_scan::end> wal_scan::run() {
  const auto& segments = catalog_.segments;
  CAUCUS_ASSERT(!segments.empty());
  directory_id_ = segments.front().header.directory;
  end_.last_batch = segments.front().header.first_batch - 1;
  for (size_t i = 0; i < segments.size(); ++i) {
    const auto* next = i + 1 < segments.size() ? &segments[i + 1] : nullptr;
    if (auto done = scan_segment(segments[i], next); !done)
      return std::move(done).reason();
    bytes_before_ += segments[i].bytes;
  }
  if (progress_)
    progress_(bytes_total_, bytes_total_);
  return std::move(end_);
}

result<void> wal_scan::scan_segment(const segment_catalog::segment& segment,
                                    const segment_catalog::segment* next) {
  const auto name = segment_name(segment.header.sequence);
  if (segment.header.first_batch != end_.last_batch + 1)
    return damaged_log(directory_, name + " begins with batch "
                                     + std::to_string(segment.header.first_batch) + " instead of "
                                     + std::to_string(end_.last_batch + 1));
  auto content = directory_.open(name);
  if (!content)
    return std::move(content).reason();
  read_window window{**content, bytes_ahead};
  end_.epoch = std::max(end_.epoch, segment.header.epoch);
  end_.tail = {segment.header.sequence, segment_header_bytes};
  end_.dead_end = end_.tail.offset;
  end_.is_recycled = segment.header.recycled_from != 0;
  unproven_.clear(); // The segment before was synced before this one began.
  while (next == nullptr || end_.last_batch + 1 < next->header.first_batch) {
    auto found = scan_batch(window, segment.bytes);
    if (found && !*found)
      found = judge(window, segment.bytes, next != nullptr);
    if (!found)
      return std::move(found).reason();
    if (!*found)
      break;
    report_progress(end_.tail.offset);
  }
  end_.unproven = unproven_.empty() ? end_.tail.offset : unproven_.front().offset;
  end_.bytes_read += next == nullptr ? segment.bytes : end_.tail.offset;
  return {};
}

result<std::optional<batch_header>> wal_scan::header_here(read_window& window,
                                                          uint64_t file_bytes) {
  const auto offset = end_.tail.offset;
  auto bytes = window.at(offset, batch_header_bytes);
  if (!bytes)
    return std::move(bytes).reason();
  const auto header = decode_batch_header(*bytes, {directory_id_, end_.tail.segment, offset});
  // An older epoch's batch with the right number is what an earlier torn tail left behind.
  if (!header || header->number != end_.last_batch + 1 || header->epoch < end_.epoch
      || header->bytes > options_.batch_bytes_max || header->bytes > file_bytes - offset)
    return std::optional<batch_header>{};
  return header;
}

result<bool> wal_scan::scan_batch(read_window& window, uint64_t file_bytes) {
  auto found = header_here(window, file_bytes);
  if (!found)
    return std::move(found).reason();
  const auto& header = *found;
  if (!header)
    return false;
  auto batch = window.at(end_.tail.offset, header->bytes);
  if (!batch)
    return std::move(batch).reason();
  if (batch->size() < header->bytes
      || crc32c(batch->subspan(batch_header_bytes)) != header->body_crc)
    return false;
  if (auto applied = apply(*batch, *header, true); !applied)
    return std::move(applied).reason();
  return true;
}

result<void> wal_scan::apply(std::span<const std::byte> batch, const batch_header& header,
                             bool is_intact) {
  auto applied = replay_.apply(batch, header, end_.tail, is_intact);
  if (!applied && applied.reason().code == errc::wal_corrupt)
    return damaged_log(directory_, applied.reason().what);
  if (!applied)
    return error{applied.reason().code, directory_.path() + "/" + applied.reason().what};
  unproven_.push_back({header.number, end_.tail.offset});
  while (!unproven_.empty() && unproven_.front().batch <= header.durable_upto)
    unproven_.pop_front();
  end_.last_batch = header.number;
  end_.epoch = header.epoch;
  end_.tail.offset += header.bytes;
  end_.dead_end = end_.tail.offset;
  return {};
}

result<bool> wal_scan::judge(read_window& window, uint64_t file_bytes, bool is_closed) {
  log_end rest;
  if (!is_closed) {
    auto looked = log_end::find(window,
                                {{directory_id_, end_.tail.segment, end_.tail.offset},
                                 end_.last_batch + 1,
                                 end_.epoch,
                                 end_.is_recycled},
                                file_bytes);
    if (!looked)
      return std::move(looked).reason();
    rest = *looked;
    if (rest.durable_upto <= end_.last_batch) {
      report_torn_tail(rest);
      end_.dead_end = std::max(rest.torn_end, end_.tail.offset);
      return false;
    }
  }
  const auto where = segment_name(end_.tail.segment) + " at offset "
                     + std::to_string(end_.tail.offset) + ": batch "
                     + std::to_string(end_.last_batch + 1);
  const auto proof = is_closed ? std::string{"a later segment follows"}
                               : "the batch at offset " + std::to_string(rest.proof) + " says so";
  auto found = header_here(window, file_bytes);
  if (!found)
    return std::move(found).reason();
  const auto& header = *found;
  if (!header)
    return damaged_log(directory_, where + " was durable (" + proof + ") and is not there");
  auto batch = window.at(end_.tail.offset, header->bytes);
  if (!batch)
    return std::move(batch).reason();
  if (batch->size() < header->bytes)
    return damaged_log(directory_, where + " was durable (" + proof + ") and is cut off");
  if (auto applied = apply(*batch, *header, false); !applied)
    return std::move(applied).reason();
  end_.warnings.push_back("the log in " + directory_.path() + " is damaged: " + where
                          + " has a wrong checksum although it was durable (" + proof
                          + "); what it held of sound records is used");
  return true;
}

void wal_scan::report_torn_tail(const log_end& rest) {
  if (rest.torn_end == 0)
    return; // Zeros only, or what the file held before: the log ended cleanly.
  const auto ends = replay_.describe_ends();
  end_.warnings.push_back(
    "torn tail: " + directory_.path() + "/" + segment_name(end_.tail.segment) + " at offset "
    + std::to_string(end_.tail.offset) + ": " + std::to_string(rest.torn_end - end_.tail.offset)
    + " bytes of writes that were never completed are dropped; nothing in them was acknowledged"
    + (ends.empty() ? "" : " (" + ends + ")"));
}

void wal_scan::report_progress(uint64_t offset) {
  const auto done = bytes_before_ + offset;
  if (!progress_ || done - reported_ < progress_step)
    return;
  reported_ = done;
  progress_(done, bytes_total_);
}

} // namespace caucus::persistence
