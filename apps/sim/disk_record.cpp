#include "apps/sim/disk_record.hpp"

#include "base/byte_io.hpp"
#include "base/crc32c.hpp"

namespace caucus::sim {

namespace {

constexpr size_t header_bytes = 32;
constexpr size_t crc_bytes = 4;

void put(const raft::entry& x, byte_writer& out) {
  out.numbers(x.id.term.value(), x.wall_ns, x.body.session.value(), x.body.sequence.value(),
              x.body.lowest_unanswered.value(), static_cast<uint8_t>(x.body.kind),
              static_cast<uint32_t>(x.body.payload.size()));
  out.bytes(x.body.payload.span());
}

raft::entry_ptr get_entry(index_t index, byte_reader& in) {
  raft::entry x;
  x.id = {index, term_t{in.u64()}};
  x.wall_ns = in.i64();
  x.body.session = session_id{in.u64()};
  x.body.sequence = sequence_t{in.u64()};
  x.body.lowest_unanswered = sequence_t{in.u64()};
  x.body.kind = static_cast<raft::entry_kind>(in.u8());
  const auto size = in.u32();
  x.body.payload = shared_bytes::copy_of(in.bytes(size));
  return std::make_shared<const raft::entry>(std::move(x));
}

void put(const raft::persist_batch& x, byte_writer& out) {
  out.numbers(x.seq.value(), static_cast<uint8_t>((x.hard ? 1 : 0) | (x.truncate_from ? 2 : 0)
                                                  | (x.snapshot ? 4 : 0)));
  if (x.hard)
    out.numbers(x.hard->term.value(), x.hard->voted_for.value(), x.hard->commit.value());
  if (x.snapshot)
    out.numbers(x.snapshot->index.value(), x.snapshot->term.value());
  if (x.truncate_from)
    out.u64(x.truncate_from->value());
  out.u32(static_cast<uint32_t>(x.entries.size()));
  if (!x.entries.empty())
    out.u64(x.entries.front()->id.index.value());
  for (const auto& e : x.entries)
    put(*e, out);
}

raft::persist_batch get_batch(byte_reader& in) {
  raft::persist_batch x;
  x.seq = persist_seq{in.u64()};
  const auto flags = in.u8();
  if ((flags & 1) != 0) {
    auto& hard = x.hard.emplace();
    hard.term = term_t{in.u64()};
    hard.voted_for = node_id{in.u64()};
    hard.commit = index_t{in.u64()};
  }
  if ((flags & 4) != 0) {
    const index_t index{in.u64()};
    x.snapshot = raft::entry_id{index, term_t{in.u64()}};
  }
  if ((flags & 2) != 0)
    x.truncate_from = index_t{in.u64()};
  const auto count = in.u32();
  const auto first = count == 0 ? index_t{} : index_t{in.u64()};
  for (uint32_t i = 0; i < count && in.ok(); ++i)
    x.entries.push_back(get_entry(first + i, in));
  return x;
}

} // namespace

void encode(const disk_record& x, std::vector<std::byte>& out) {
  const auto start = out.size();
  byte_writer to{out};
  to.numbers(uint32_t{}, uint32_t{}, x.number, x.epoch, x.durable_upto);
  put(x.batch, to);
  const auto bytes = static_cast<uint32_t>(out.size() - start);
  std::memcpy(&out[start + crc_bytes], &bytes, sizeof bytes);
  const auto crc = crc32c(std::span{out}.subspan(start + crc_bytes));
  std::memcpy(&out[start], &crc, sizeof crc);
}

std::optional<decoded_record> decode_record(std::span<const std::byte> bytes) {
  byte_reader in{bytes};
  const auto crc = in.u32();
  const auto size = in.u32();
  if (!in.ok() || size < header_bytes || size > bytes.size()
      || crc32c(bytes.subspan(crc_bytes, size - crc_bytes)) != crc)
    return std::nullopt;
  decoded_record out{.record = {}, .bytes = size};
  out.record.number = in.u64();
  out.record.epoch = in.u64();
  out.record.durable_upto = in.u64();
  out.record.batch = get_batch(in);
  return in.ok() ? std::optional{std::move(out)} : std::nullopt;
}

} // namespace caucus::sim
