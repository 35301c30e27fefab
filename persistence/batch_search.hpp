#pragma once

#include "persistence/batch_header.hpp"
#include "persistence/log_position.hpp"
#include "persistence/read_window.hpp"

#include <functional>

namespace caucus::persistence {

/// Told of every sound batch header, with the offset at which it was written and stands.
using batch_found = std::function<void(uint64_t offset, const batch_header& header)>;

/// Looks at every place from `from` to the end of a segment's file where a batch could begin.
/// Returns where the last byte ends that isn't zero; 0 if there are zeros only.
result<uint64_t> search_batches(read_window& window, directory_id directory, log_position from,
                                uint64_t file_bytes, const batch_found& found);

} // namespace caucus::persistence
