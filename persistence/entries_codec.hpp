#pragma once

#include "base/byte_io.hpp"
#include "raft/entry.hpp"

#include <optional>

namespace caucus::persistence {

// The body of an `entries` record:
//
//     0             8       12     16
//     | first index | count | zero | entry, entry, ...
//
// and each entry, without padding:
//
//     0      8         16        24         32                  40      44     45     48
//     | term | wall ns | session | sequence | lowest unanswered | bytes | kind | zero | payload

inline constexpr size_t entries_prefix_bytes = 16;
inline constexpr size_t entry_header_bytes = 48;

inline size_t encoded_bytes(const raft::entry& x) noexcept {
  return entry_header_bytes + x.body.payload.size();
}

/// Writes `encoded_bytes(x)` bytes and returns where they end.
std::byte* encode(const raft::entry& x, std::byte* into) noexcept;

/// Walks over the entries of a record's body and looks at their headers only.
class entries_cursor {
public:
  /// `body` must outlive the cursor; its checksum was checked.
  explicit entries_cursor(std::span<const std::byte> body) noexcept;

  [[nodiscard]] index_t first() const noexcept { return first_; }
  [[nodiscard]] uint32_t count() const noexcept { return count_; }

  /// Steps to the next entry; false after the last one or where the bytes don't decode.
  bool next() noexcept;
  /// All entries were seen and fill the body exactly.
  [[nodiscard]] bool at_end() const noexcept { return seen_ == count_ && in_.at_end(); }

  // Of the entry stepped to.
  [[nodiscard]] raft::entry_id id() const noexcept { return id_; }
  [[nodiscard]] raft::entry_kind kind() const noexcept;
  [[nodiscard]] std::span<const std::byte> payload() const noexcept { return payload_; }
  /// As `raft::entry::cost`.
  [[nodiscard]] size_t cost() const noexcept { return raft::entry::cost_of(payload_.size()); }
  /// The entry, its payload a window into memory that `owner` keeps alive.
  [[nodiscard]] raft::entry_ptr make(const std::shared_ptr<const void>& owner) const;

private:
  byte_reader in_;
  index_t first_;
  uint32_t count_ = 0;
  uint32_t seen_ = 0;
  raft::entry_id id_;
  std::span<const std::byte> header_;
  std::span<const std::byte> payload_;
};

} // namespace caucus::persistence
