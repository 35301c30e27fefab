#pragma once

// What the counter's clients and its machine say to each other, as bytes. Standard library only: a
// client needs nothing else of the counter.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace counter {

enum class verb : uint8_t { add = 1, get = 2 };

struct counter_command {
  verb what = verb::get;
  int64_t amount = 0; ///< add

  friend bool operator==(const counter_command&, const counter_command&) = default;
};

/// offset  size  field
///      0     1  version = 1
///      1     1  verb
///      2     8  amount, little-endian; only with `add`
std::string encode(const counter_command& x);
/// Nothing for bytes of another version, verb or length.
std::optional<counter_command> decode_command(std::string_view bytes);

/// The reply to both: the count after the command, 8 bytes, little-endian.
std::string encode_count(int64_t count);
std::optional<int64_t> decode_count(std::string_view bytes);

} // namespace counter
