#pragma once

#include "tests/support/golden/script_error.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace caucus::golden {

/// One command of a trace: `name word word key=value key=(a,b)`. Every part has to be taken by
/// whoever executes it: what nobody takes, nobody knows.
class trace_command {
public:
  explicit trace_command(std::string_view text);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  // Each takes what it returns.
  [[nodiscard]] std::optional<std::string> next_word();
  [[nodiscard]] std::string word(std::string_view what);
  [[nodiscard]] uint64_t number(std::string_view what);
  /// All words that are left, as numbers.
  [[nodiscard]] std::vector<uint64_t> numbers();
  /// Whether this word is among those that are left.
  [[nodiscard]] bool flag(std::string_view word);
  [[nodiscard]] std::optional<std::vector<std::string>> list(const std::string& key);
  [[nodiscard]] std::optional<std::string> text(const std::string& key);
  [[nodiscard]] std::optional<uint64_t> number_of(const std::string& key);
  [[nodiscard]] std::optional<std::vector<uint64_t>> numbers_of(const std::string& key);
  /// `key=on` or `key=off`.
  [[nodiscard]] std::optional<bool> is_on(const std::string& key);

  /// Throws if something was not taken.
  void finish() const;

private:
  [[noreturn]] void fail(const std::string& why) const;
  [[nodiscard]] uint64_t parse(const std::string& digits) const;

  std::string text_;
  std::string name_;
  std::vector<std::string> words_;
  size_t next_ = 0;
  std::map<std::string, std::vector<std::string>> keys_;
};

} // namespace caucus::golden
