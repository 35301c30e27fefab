#include "persistence/batch_buffer.hpp"

#include "base/assert.hpp"
#include "base/crc32c.hpp"
#include "persistence/entries_codec.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace caucus::persistence {

namespace {

constexpr size_t capacity_first = size_t{64} << 10;
constexpr size_t capacity_kept = size_t{16} << 20;

} // namespace

void batch_buffer::clear() {
  if (capacity_ == 0 || capacity_ > capacity_kept) {
    capacity_ = capacity_first;
    memory_ = std::make_unique_for_overwrite<std::byte[]>(capacity_);
  }
  size_ = batch_header_bytes;
  records_ = 0;
}

std::byte* batch_buffer::grow(size_t bytes) {
  const auto with_padding = padded(bytes);
  CAUCUS_ASSERT(with_padding <= std::numeric_limits<uint32_t>::max() - size_);
  if (size_ + with_padding > capacity_) {
    const auto larger = std::max(2 * capacity_, size_ + with_padding);
    auto moved = std::make_unique_for_overwrite<std::byte[]>(larger);
    std::memcpy(moved.get(), memory_.get(), size_);
    memory_ = std::move(moved);
    capacity_ = larger;
  }
  auto* begin = memory_.get() + size_;
  std::memset(begin + bytes, 0, with_padding - bytes);
  size_ += with_padding;
  return begin;
}

void batch_buffer::finish_record(record_kind kind, group_id group, replica_uid uid,
                                 std::byte* record, size_t bytes) {
  record_header header;
  header.kind = kind;
  header.group = group;
  header.uid = uid;
  header.bytes = static_cast<uint32_t>(bytes);
  header.body_crc = crc32c({record + record_header_bytes, bytes - record_header_bytes});
  encode(header, {record, record_header_bytes});
  ++records_;
}

uint32_t batch_buffer::add(record_kind kind, group_id group, replica_uid uid,
                           std::span<const std::byte> body) {
  const auto offset = static_cast<uint32_t>(size_);
  const auto bytes = record_header_bytes + body.size();
  auto* record = grow(bytes);
  if (!body.empty())
    std::memcpy(record + record_header_bytes, body.data(), body.size());
  finish_record(kind, group, uid, record, bytes);
  return offset;
}

uint32_t batch_buffer::add(record_kind kind, group_id group, replica_uid uid,
                           std::initializer_list<uint64_t> numbers) {
  return add(kind, group, uid, std::as_bytes(std::span{numbers.begin(), numbers.size()}));
}

uint32_t batch_buffer::add_entries(group_id group, replica_uid uid,
                                   std::span<const raft::entry_ptr> entries, record_kind kind) {
  size_t bytes = record_header_bytes + entries_prefix_bytes;
  for (const auto& x : entries)
    bytes += encoded_bytes(*x);
  const auto offset = static_cast<uint32_t>(size_);
  auto* record = grow(bytes);
  const uint64_t prefix[] = {entries.front()->id.index.value(), entries.size()};
  static_assert(sizeof prefix == entries_prefix_bytes);
  std::memcpy(record + record_header_bytes, prefix, sizeof prefix);
  auto* at = record + record_header_bytes + sizeof prefix;
  for (const auto& x : entries)
    at = encode(*x, at);
  CAUCUS_ASSERT(at == record + bytes);
  finish_record(kind, group, uid, record, bytes);
  return offset;
}

std::span<const std::byte> batch_buffer::seal(batch_header header, const batch_place& place) {
  const std::span whole{memory_.get(), size_};
  header.bytes = static_cast<uint32_t>(size_);
  header.records = records_;
  header.body_crc = crc32c(whole.subspan(batch_header_bytes));
  encode(header, place, whole);
  return whole;
}

} // namespace caucus::persistence
