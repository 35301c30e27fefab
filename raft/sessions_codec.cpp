#include "base/assert.hpp"
#include "base/byte_io.hpp"
#include "base/rng.hpp"
#include "raft/sessions.hpp"

#include <algorithm>
#include <cstring>

namespace caucus::raft {

namespace {

// size  field
//    1  version = 1
//    8  applied index
//    8  log time, ns
//    4  number of sessions, then each, by ascending id:
//         8  id
//         8  timeout_ns
//         8  active_ns
//         8  reply_bytes_max
//         8  next
//         8  floor; next - floor outcomes follow, at most 256:
//              1  errc
//              4  bytes of the reply, then those
constexpr uint8_t format_version = 1;
constexpr size_t session_bytes_min = 6 * 8;
constexpr size_t outcome_bytes_min = 1 + 4;

error malformed(const std::string& what) {
  return {errc::malformed, "saved sessions: " + what + "; take another snapshot or replay the log"};
}

} // namespace

std::vector<std::byte> session_table::save() const {
  CAUCUS_ASSERT_MSG(!awaited_, "a command is executing: its outcome belongs to the saved state");
  std::vector<session_id> ids;
  ids.reserve(sessions_.size());
  for (const auto& [id, _] : sessions_)
    ids.push_back(id);
  std::ranges::sort(ids);

  std::vector<std::byte> bytes;
  byte_writer out{bytes};
  out.u8(format_version);
  out.u64(applied_.value());
  out.i64(now_ns_);
  out.u32(static_cast<uint32_t>(ids.size()));
  for (const auto id : ids) {
    const auto& x = sessions_.at(id);
    out.u64(id.value());
    out.i64(x.timeout_ns);
    out.i64(x.active_ns);
    out.u64(x.reply_bytes_max);
    out.u64(x.next.value());
    out.u64(x.floor.value());
    for (auto i = x.head; i < x.kept.size(); ++i) {
      out.u8(static_cast<uint8_t>(x.kept[i].code));
      out.u32(static_cast<uint32_t>(x.kept[i].reply.size()));
      out.bytes(x.kept[i].reply.span());
    }
  }
  return bytes;
}

result<session_table> session_table::load(std::span<const std::byte> bytes, replies rule) {
  byte_reader in{bytes};
  if (const auto version = in.u8(); in.ok() && version != format_version)
    return error{errc::version_mismatch, "saved sessions of version " + std::to_string(version)
                                           + ", known is 1: start a newer program"};
  session_table table{rule};
  table.applied_ = index_t{in.u64()};
  table.now_ns_ = in.i64();
  const auto count = in.u32();
  if (!in.ok() || table.now_ns_ < 0 || count > in.remaining() / session_bytes_min)
    return malformed("the head doesn't fit the bytes");
  session_id previous;
  for (uint32_t i = 0; i < count; ++i) {
    const session_id id{in.u64()};
    if (auto good = table.load_session(id, in); !good)
      return std::move(good).reason();
    if (id <= previous || id.value() > table.applied_.value())
      return malformed("session " + std::to_string(id.value()) + " out of order");
    previous = id;
  }
  if (!in.at_end())
    return malformed("bytes after the last session");
  return table;
}

result<void> session_table::load_session(session_id id, byte_reader& in) {
  session x;
  x.timeout_ns = in.i64();
  x.active_ns = in.i64();
  x.reply_bytes_max = in.u64();
  x.next = sequence_t{in.u64()};
  x.floor = sequence_t{in.u64()};
  const bool is_sane = in.ok() && x.timeout_ns > 0 && x.active_ns >= 0 && x.active_ns <= now_ns_
                       && x.floor >= sequence_t{1} && x.floor <= x.next;
  if (!is_sane || x.next - x.floor > std::min<size_t>(window, in.remaining() / outcome_bytes_min))
    return malformed("session " + std::to_string(id.value()) + " contradicts itself");
  const auto outcomes = x.next - x.floor;
  x.kept.reserve(outcomes);
  for (uint64_t i = 0; i < outcomes; ++i) {
    command_outcome outcome;
    outcome.code = static_cast<errc>(in.u8());
    outcome.reply = shared_bytes::copy_of(in.bytes(in.u32()));
    x.reply_bytes += outcome.reply.size();
    x.kept.push_back(std::move(outcome));
  }
  if (!in.ok())
    return malformed("cut inside session " + std::to_string(id.value()));
  reply_bytes_ += x.reply_bytes;
  schedule(id, sessions_[id] = std::move(x));
  return {};
}

uint64_t session_table::digest() const {
  const auto bytes = save();
  uint64_t hash = bytes.size();
  for (size_t at = 0; at < bytes.size(); at += sizeof hash) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, std::min(sizeof word, bytes.size() - at));
    hash = rng::mix(hash ^ word) + 0x9e3779b97f4a7c15u;
  }
  return hash;
}

} // namespace caucus::raft
