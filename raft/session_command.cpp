#include "raft/session_command.hpp"

#include "base/byte_io.hpp"

#include <array>

namespace caucus::raft {

namespace {

// offset  size  field
//      0     1  version = 1
//      1     1  kind: 1 open, 2 close
// open only:
//      2     8  timeout_ns
//     10     4  sessions_max
//     14     8  reply_bytes_max
constexpr uint8_t format_version = 1;
constexpr uint8_t kind_open = 1;
constexpr uint8_t kind_close = 2;

// Beyond reason: a typo of a unit, or foreign bytes.
constexpr int64_t timeout_ns_max = int64_t{366} * 24 * 3600 * 1'000'000'000;
constexpr uint32_t sessions_limit = 10'000'000;
constexpr uint64_t reply_bytes_limit = uint64_t{1} << 40;

error malformed(const char* what) {
  return {errc::malformed, std::string{"session command: "} + what};
}

bool is_reasonable(const open_session& x) {
  return x.timeout_ns > 0 && x.timeout_ns <= timeout_ns_max && x.sessions_max > 0
         && x.sessions_max <= sessions_limit && x.reply_bytes_max > 0
         && x.reply_bytes_max <= reply_bytes_limit;
}

} // namespace

shared_bytes encode(const session_command& x) {
  std::vector<std::byte> bytes;
  byte_writer out{bytes};
  out.u8(format_version);
  if (const auto* open = std::get_if<open_session>(&x)) {
    out.u8(kind_open);
    out.i64(open->timeout_ns);
    out.u32(open->sessions_max);
    out.u64(open->reply_bytes_max);
  } else {
    out.u8(kind_close);
  }
  return shared_bytes::copy_of(bytes);
}

result<session_command> decode_session_command(std::span<const std::byte> bytes) {
  byte_reader in{bytes};
  const auto version = in.u8();
  const auto kind = in.u8();
  if (!in.ok())
    return malformed("shorter than its head of 2 bytes");
  if (version != format_version)
    return error{errc::version_mismatch,
                 "session command of version " + std::to_string(version) + ", known is 1"};
  if (kind == kind_close) {
    if (!in.at_end())
      return malformed("bytes after a close");
    return session_command{close_session{}};
  }
  if (kind != kind_open)
    return malformed("neither open nor close");
  open_session open;
  open.timeout_ns = in.i64();
  open.sessions_max = in.u32();
  open.reply_bytes_max = in.u64();
  if (!in.at_end())
    return malformed("an open that isn't 22 bytes long");
  if (!is_reasonable(open))
    return malformed("a limit is zero or beyond reason");
  return session_command{open};
}

} // namespace caucus::raft
