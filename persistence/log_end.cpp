#include "persistence/log_end.hpp"

#include <algorithm>

namespace caucus::persistence {

result<log_end> log_end::find(read_window& window, const expected& missing, uint64_t file_bytes,
                              const batch_found& found) {
  log_end end;
  const auto& place = missing.place;
  const auto nonzero_end =
    search_batches(window, place.directory, {place.segment, place.offset}, file_bytes,
                   [&](uint64_t offset, const batch_header& header) {
                     if (header.durable_upto > end.durable_upto) {
                       end.durable_upto = header.durable_upto;
                       end.proof = offset;
                     }
                     // Whatever it is worth, it was written into this segment.
                     end.torn_end = std::max(end.torn_end, offset + header.bytes);
                     if (found)
                       found(offset, header);
                   });
  if (!nonzero_end)
    return nonzero_end.reason();
  if (!missing.is_recycled) {
    end.torn_end = *nonzero_end;
    return end;
  }
  // All else may be what the file held before, but for the very batch that is missing.
  auto bytes = window.at(place.offset, batch_header_bytes);
  if (!bytes)
    return std::move(bytes).reason();
  if (const auto torn = find_torn_batch(*bytes, place, missing.number, missing.epoch))
    end.torn_end = std::max(end.torn_end, place.offset + *torn);
  end.torn_end = std::min(end.torn_end, file_bytes);
  return end;
}

} // namespace caucus::persistence
