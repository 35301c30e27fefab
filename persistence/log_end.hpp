#pragma once

#include "persistence/batch_search.hpp"

namespace caucus::persistence {

/// What the newest segment has behind the last batch that counts, from the first one on that
/// doesn't (docs/wal_format.md, section 8).
struct log_end {
  /// The batch that should be there, and how the segment came to be.
  struct expected {
    batch_place place;
    uint64_t number = 0;
    boot_count epoch;         ///< Of the batch before, or newer.
    bool is_recycled = false; ///< What the file held before may follow.
  };

  uint64_t durable_upto = 0; ///< The highest that an intact header there claims ...
  uint64_t proof = 0;        ///< ... and where that header is.
  /// Where writes that were never completed end; 0: there are none, the log ended cleanly.
  uint64_t torn_end = 0;

  /// `found` is told of every intact header there.
  static result<log_end> find(read_window& window, const expected& missing, uint64_t file_bytes,
                              const batch_found& found = {});
};

} // namespace caucus::persistence
