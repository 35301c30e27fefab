#include "apps/sim/machine.hpp"

#include "base/assert.hpp"
#include "base/byte_io.hpp"

namespace caucus::sim {

namespace {

shared_bytes encode(const history::answer& x) {
  std::array<std::byte, 9> out{};
  std::memcpy(out.data(), &x.value, sizeof x.value);
  out[8] = std::byte{x.is_ok ? uint8_t{1} : uint8_t{0}};
  return shared_bytes::copy_of(out);
}

history::answer decode_answer(const shared_bytes& bytes) {
  byte_reader in{bytes.span()};
  history::answer x;
  x.value = in.i64();
  x.is_ok = in.u8() != 0;
  return x;
}

} // namespace

shared_bytes encode(const client_command& x, int64_t padding) {
  std::vector<std::byte> out;
  out.reserve(22 + static_cast<size_t>(padding));
  byte_writer to{out};
  to.u32(x.operation);
  to.u8(static_cast<uint8_t>(x.what.kind));
  to.u8(static_cast<uint8_t>(x.what.object));
  to.i64(x.what.argument);
  to.i64(x.what.expected);
  out.resize(out.size() + static_cast<size_t>(padding));
  return shared_bytes::copy_of(out);
}

std::optional<client_command> decode_command(const shared_bytes& bytes) {
  byte_reader in{bytes.span()};
  client_command x;
  x.operation = in.u32();
  x.what.kind = static_cast<enum history::action::kind>(in.u8());
  x.what.object = in.u8();
  x.what.argument = in.i64();
  x.what.expected = in.i64();
  return in.ok() && x.what.object < machine::objects_max ? std::optional{x} : std::nullopt;
}

machine::outcome machine::apply(const raft::entry& next) {
  using verdict = enum raft::session_verdict::kind;
  applied_ = next.id.index;
  outcome out{.verdict = sessions_.judge(next), .answer = {}};
  if (next.body.kind == raft::entry_kind::command) {
    const auto command = decode_command(next.body.payload);
    CAUCUS_ASSERT(command.has_value());
    out.operation = command->operation;
    if (out.verdict.kind == verdict::execute) {
      out.is_executed_now = true;
      out.answer = execute(command->what);
      sessions_.record(next, {errc::none, encode(out.answer)});
    } else if (out.verdict.kind == verdict::answer) {
      out.answer = decode_answer(out.verdict.outcome.reply);
    }
  }
  hash_ = hasher{hash_}
            .word(next.id.index)
            .word(static_cast<uint64_t>(out.verdict.kind))
            .word(out.verdict.session)
            .word(out.operation)
            .word(static_cast<uint64_t>(out.answer.value))
            .value();
  return out;
}

std::vector<std::byte> machine::save() const {
  std::vector<std::byte> out;
  byte_writer to{out};
  to.u64(applied_.value());
  to.u64(hash_);
  for (auto x : objects_)
    to.i64(x);
  to.bytes(sessions_.save());
  return out;
}

machine machine::load(std::span<const std::byte> bytes) {
  byte_reader in{bytes};
  machine out;
  out.applied_ = index_t{in.u64()};
  out.hash_ = in.u64();
  for (auto& x : out.objects_)
    x = in.i64();
  auto sessions = raft::session_table::load(in.bytes(in.remaining()));
  CAUCUS_ASSERT(in.ok() && sessions.ok());
  out.sessions_ = *std::move(sessions);
  return out;
}

history::answer machine::execute(const history::action& x) {
  auto& object = objects_[x.object];
  return history::apply(object, x);
}

} // namespace caucus::sim
