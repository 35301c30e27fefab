#pragma once

#include "persistence/batch_header.hpp"
#include "persistence/record.hpp"
#include "raft/entry.hpp"

#include <initializer_list>
#include <memory>

namespace caucus::persistence {

/// The batch being staged, in the bytes that will go to the disk. One per writer, reused. Payloads
/// are copied into it once; it is never initialised.
class batch_buffer {
public:
  batch_buffer() { clear(); }

  /// Forgets what is staged and gives memory back that only a large batch needed.
  void clear();

  [[nodiscard]] bool is_empty() const noexcept { return records_ == 0; }
  /// Of the batch as it would be written now.
  [[nodiscard]] size_t bytes() const noexcept { return size_; }

  /// Returns where in the batch the record begins, as all do.
  uint32_t add(record_kind kind, group_id group, replica_uid uid, std::span<const std::byte> body);
  uint32_t add(record_kind kind, group_id group, replica_uid uid,
               std::initializer_list<uint64_t> numbers);
  /// One `entries` record, or `moved` ones. Precondition: not empty, contiguous.
  uint32_t add_entries(group_id group, replica_uid uid, std::span<const raft::entry_ptr> entries,
                       record_kind kind = record_kind::entries);

  /// Completes `header` (size, records, checksum) and returns the batch. More may be added
  /// afterwards only after `clear`.
  std::span<const std::byte> seal(batch_header header, const batch_place& place);

private:
  /// Room for `bytes` more, padded with zeros; returns where it begins.
  std::byte* grow(size_t bytes);
  void finish_record(record_kind kind, group_id group, replica_uid uid, std::byte* record,
                     size_t bytes);

  std::unique_ptr<std::byte[]> memory_;
  size_t capacity_ = 0;
  size_t size_ = 0;
  uint32_t records_ = 0;
};

} // namespace caucus::persistence
