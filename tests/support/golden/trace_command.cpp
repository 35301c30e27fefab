#include "tests/support/golden/trace_command.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace caucus::golden {

namespace {

/// Words between blanks; blanks inside parentheses don't count.
std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  std::string next;
  int depth = 0;
  for (char c : text) {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if ((c == ' ' || c == '\t') && depth == 0) {
      if (!next.empty())
        words.push_back(std::exchange(next, {}));
    } else {
      next += c;
    }
  }
  if (!next.empty())
    words.push_back(std::move(next));
  return words;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> items;
  std::string next;
  for (char c : text) {
    if (c == ',')
      items.push_back(std::exchange(next, {}));
    else if (c != ' ')
      next += c;
  }
  if (!next.empty() || !items.empty())
    items.push_back(std::move(next));
  return items;
}

} // namespace

trace_command::trace_command(std::string_view text) : text_{text} {
  for (auto& word : split_words(text)) {
    const auto equals = word.find('=');
    if (name_.empty()) {
      name_ = std::move(word);
    } else if (equals == std::string::npos) {
      words_.push_back(std::move(word));
    } else {
      const auto value = std::string_view{word}.substr(equals + 1);
      std::vector<std::string> values;
      if (!value.starts_with('('))
        values.emplace_back(value);
      else if (value.back() == ')')
        values = split_list(value.substr(1, value.size() - 2));
      else
        fail("a parenthesis does not close");
      if (!keys_.emplace(word.substr(0, equals), std::move(values)).second)
        fail("'" + word.substr(0, equals) + "' is there twice");
    }
  }
}

std::optional<std::string> trace_command::next_word() {
  return next_ < words_.size() ? std::optional{words_[next_++]} : std::nullopt;
}

std::string trace_command::word(std::string_view what) {
  auto found = next_word();
  if (!found)
    fail("which " + std::string{what} + "?");
  return *std::move(found);
}

uint64_t trace_command::number(std::string_view what) { return parse(word(what)); }

std::vector<uint64_t> trace_command::numbers() {
  std::vector<uint64_t> out;
  while (auto x = next_word())
    out.push_back(parse(*x));
  return out;
}

bool trace_command::flag(std::string_view word) {
  const auto left = words_.begin() + static_cast<std::ptrdiff_t>(next_);
  const auto found = std::find(left, words_.end(), word);
  if (found == words_.end())
    return false;
  words_.erase(found);
  return true;
}

std::optional<std::vector<std::string>> trace_command::list(const std::string& key) {
  auto found = keys_.extract(key);
  return found.empty() ? std::nullopt : std::optional{std::move(found.mapped())};
}

std::optional<std::string> trace_command::text(const std::string& key) {
  auto values = list(key);
  if (values && values->size() != 1)
    fail("'" + key + "' has one value");
  return values ? std::optional{std::move(values->front())} : std::nullopt;
}

std::optional<uint64_t> trace_command::number_of(const std::string& key) {
  auto value = text(key);
  return value ? std::optional{parse(*value)} : std::nullopt;
}

std::optional<std::vector<uint64_t>> trace_command::numbers_of(const std::string& key) {
  auto values = list(key);
  if (!values)
    return std::nullopt;
  std::vector<uint64_t> out;
  for (const auto& x : *values)
    out.push_back(parse(x));
  return out;
}

std::optional<bool> trace_command::is_on(const std::string& key) {
  auto value = text(key);
  if (value && *value != "on" && *value != "off")
    fail("'" + key + "' is on or off");
  return value ? std::optional{*value == "on"} : std::nullopt;
}

void trace_command::finish() const {
  if (next_ < words_.size())
    fail("what is '" + words_[next_] + "'?");
  if (!keys_.empty())
    fail("what is '" + keys_.begin()->first + "'?");
}

void trace_command::fail(const std::string& why) const {
  throw script_error{"'" + text_ + "': " + why};
}

uint64_t trace_command::parse(const std::string& digits) const {
  uint64_t value = 0;
  const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (status != std::errc{} || end != digits.data() + digits.size())
    fail("'" + digits + "' is not a number");
  return value;
}

} // namespace caucus::golden
