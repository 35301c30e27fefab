#include "counter_command.hpp"

namespace counter {

namespace {

constexpr char format_version = 1;
constexpr size_t head_bytes = 2;
constexpr size_t number_bytes = 8;

void append_number(std::string& out, int64_t number) {
  for (size_t i = 0; i < number_bytes; ++i)
    out.push_back(static_cast<char>(static_cast<uint64_t>(number) >> (8 * i)));
}

/// Of 8 bytes.
int64_t read_number(std::string_view bytes) {
  uint64_t number = 0;
  for (size_t i = 0; i < number_bytes; ++i)
    number |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  return static_cast<int64_t>(number);
}

} // namespace

std::string encode(const counter_command& x) {
  std::string bytes{format_version, static_cast<char>(x.what)};
  if (x.what == verb::add)
    append_number(bytes, x.amount);
  return bytes;
}

std::optional<counter_command> decode_command(std::string_view bytes) {
  if (bytes.size() < head_bytes || bytes[0] != format_version)
    return std::nullopt;
  if (bytes[1] == static_cast<char>(verb::get) && bytes.size() == head_bytes)
    return counter_command{verb::get};
  if (bytes[1] == static_cast<char>(verb::add) && bytes.size() == head_bytes + number_bytes)
    return counter_command{verb::add, read_number(bytes.substr(head_bytes))};
  return std::nullopt;
}

std::string encode_count(int64_t count) {
  std::string bytes;
  append_number(bytes, count);
  return bytes;
}

std::optional<int64_t> decode_count(std::string_view bytes) {
  if (bytes.size() != number_bytes)
    return std::nullopt;
  return read_number(bytes);
}

} // namespace counter
