#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace counter {

/// The number that the text is, all of it; nothing if it is none or doesn't fit.
template <class Number>
std::optional<Number> parse_whole_number(std::string_view text) {
  Number number{};
  auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return number;
}

} // namespace counter
