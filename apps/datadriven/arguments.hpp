#pragma once

#include "apps/datadriven/case_file.hpp"
#include "membership/configuration.hpp"

#include <algorithm>
#include <charconv>

namespace caucus::datadriven {

inline error unknown_word(const test_case& where, const std::string& word) {
  return {errc::malformed, "line " + std::to_string(where.line) + ": '" + where.command
                             + "' doesn't know '" + word + "'"};
}

inline error differs(const test_case& where, const std::string& expected, const std::string& got) {
  return {errc::invalid_argument, "line " + std::to_string(where.line) + ": expected '" + expected
                                    + "', got '" + got + "'"};
}

inline result<uint64_t> parse_number(const test_case& where, const std::string& text) {
  uint64_t value = 0;
  auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc{} || end != text.data() + text.size())
    return unknown_word(where, text);
  return value;
}

/// Every argument must be one of `known`.
inline result<void> check_keys(const test_case& where, const std::vector<std::string>& known) {
  for (auto& [key, values] : where.arguments)
    if (std::ranges::find(known, key) == known.end())
      return unknown_word(where, key);
  return {};
}

/// The values of a key; none if it isn't there.
inline const std::vector<std::string>& values_of(const test_case& where, const std::string& key) {
  static const std::vector<std::string> none;
  auto found = where.arguments.find(key);
  return found == where.arguments.end() ? none : found->second;
}

inline result<std::vector<node_id>> parse_nodes(const test_case& where, const std::string& key) {
  std::vector<node_id> ids;
  for (auto& text : values_of(where, key)) {
    auto id = parse_number(where, text);
    if (!id)
      return id.reason();
    ids.push_back(node_id{*id});
  }
  return ids;
}

} // namespace caucus::datadriven
