#include "transport/wire_format.hpp"

#include "base/assert.hpp"
#include "base/byte_io.hpp"
#include "base/crc32c.hpp"

#include <cstring>
#include <string>

namespace caucus::transport {

namespace {

constexpr uint16_t header_magic = 0x6143; // "Ca" as bytes
constexpr size_t checked_header_bytes = 12;

template <class T>
void put(std::span<std::byte> out, size_t at, T x) {
  std::memcpy(out.data() + at, &x, sizeof x);
}

template <class T>
T get(std::span<const std::byte> in, size_t at) {
  T x;
  std::memcpy(&x, in.data() + at, sizeof x);
  return x;
}

bool is_known(uint8_t kind) {
  return (kind >= static_cast<uint8_t>(frame_kind::hello)
          && kind <= static_cast<uint8_t>(frame_kind::keep_alive))
         || kind == static_cast<uint8_t>(frame_kind::bulk);
}

/// What foreign bytes look like, for the log: those that print, else a dot.
std::string printable(std::span<const std::byte> bytes) {
  std::string text;
  for (auto b : bytes) {
    auto c = static_cast<char>(b);
    text.push_back(c >= ' ' && c <= '~' ? c : '.');
  }
  return text;
}

} // namespace

void write_header(std::span<std::byte> out, frame_kind kind) {
  CAUCUS_ASSERT(out.size() >= frame_header_bytes);
  const auto body = out.subspan(frame_header_bytes);
  put(out, 0, static_cast<uint32_t>(body.size()));
  put(out, 4, crc32c(body));
  put(out, 8, static_cast<uint8_t>(kind));
  put(out, 9, uint8_t{0});
  put(out, 10, header_magic);
  put(out, checked_header_bytes, crc32c(out.first(checked_header_bytes)));
}

result<frame_header> parse_header(std::span<const std::byte, frame_header_bytes> bytes,
                                  uint32_t body_bytes_max) {
  if (get<uint16_t>(bytes, 10) != header_magic)
    return error{errc::malformed, "not a Caucus frame: it starts with '" + printable(bytes) + "'"};
  if (get<uint32_t>(bytes, checked_header_bytes) != crc32c(bytes.first(checked_header_bytes)))
    return error{errc::malformed, "the checksum of a frame header is wrong"};
  frame_header header{get<uint32_t>(bytes, 0), get<uint32_t>(bytes, 4), frame_kind{}};
  const auto kind = get<uint8_t>(bytes, 8);
  if (!is_known(kind))
    return error{errc::malformed, "frame kind " + std::to_string(kind) + " is unknown"};
  header.kind = static_cast<frame_kind>(kind);
  if (get<uint8_t>(bytes, 9) != 0)
    return error{errc::malformed, "a frame has flags that this version does not know"};
  if (header.length > body_bytes_max)
    return error{errc::malformed, "a frame of " + std::to_string(header.length)
                                    + " bytes is announced, " + std::to_string(body_bytes_max)
                                    + " are allowed here"};
  if ((header.length == 0) != (header.kind == frame_kind::keep_alive))
    return error{errc::malformed, "a frame of kind " + std::to_string(kind) + " has "
                                    + std::to_string(header.length) + " bytes"};
  return header;
}

bool is_intact(const frame_header& header, std::span<const std::byte> body) {
  return body.size() == header.length && crc32c(body) == header.crc;
}

frame make_keep_alive() {
  frame x{std::make_unique<std::byte[]>(frame_header_bytes), frame_header_bytes, true};
  write_header({x.data.get(), x.size}, frame_kind::keep_alive);
  return x;
}

} // namespace caucus::transport
