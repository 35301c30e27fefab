#include "persistence/entries_codec.hpp"

namespace caucus::persistence {

namespace {

constexpr size_t kind_offset = 44; ///< In an entry's header.

} // namespace

std::byte* encode(const raft::entry& x, std::byte* into) noexcept {
  const auto& payload = x.body.payload;
  const uint64_t numbers[] = {x.id.term.value(), static_cast<uint64_t>(x.wall_ns),
                              x.body.session.value(), x.body.sequence.value(),
                              x.body.lowest_unanswered.value()};
  const uint32_t size_and_kind[] = {static_cast<uint32_t>(payload.size()),
                                    static_cast<uint8_t>(x.body.kind)};
  static_assert(sizeof numbers + sizeof size_and_kind == entry_header_bytes);
  std::memcpy(into, numbers, sizeof numbers);
  std::memcpy(into + sizeof numbers, size_and_kind, sizeof size_and_kind);
  if (!payload.empty())
    std::memcpy(into + entry_header_bytes, payload.data(), payload.size());
  return into + entry_header_bytes + payload.size();
}

entries_cursor::entries_cursor(std::span<const std::byte> body) noexcept : in_{body} {
  first_ = index_t{in_.u64()};
  count_ = in_.u32();
  in_.u32();
}

bool entries_cursor::next() noexcept {
  if (seen_ == count_)
    return false;
  header_ = in_.bytes(entry_header_bytes);
  byte_reader fields{header_};
  const term_t term{fields.u64()};
  fields.bytes(32);
  const auto size = fields.u32();
  const auto kind = fields.u8();
  payload_ = in_.bytes(size);
  if (!in_.ok() || !fields.ok() || kind >= raft::entry_kind_count)
    return false;
  id_ = {first_ + seen_, term};
  ++seen_;
  return true;
}

raft::entry_kind entries_cursor::kind() const noexcept {
  return static_cast<raft::entry_kind>(header_[kind_offset]); // `next` has seen that it is one.
}

raft::entry_ptr entries_cursor::make(const std::shared_ptr<const void>& owner) const {
  byte_reader fields{header_};
  auto made = std::make_shared<raft::entry>();
  made->id = id_;
  fields.u64();
  made->wall_ns = fields.i64();
  made->body.session = session_id{fields.u64()};
  made->body.sequence = sequence_t{fields.u64()};
  made->body.lowest_unanswered = sequence_t{fields.u64()};
  fields.u32();
  made->body.kind = static_cast<raft::entry_kind>(fields.u8());
  if (!payload_.empty())
    made->body.payload = shared_bytes::window(owner, payload_);
  return made;
}

} // namespace caucus::persistence
