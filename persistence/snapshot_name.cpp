#include "persistence/snapshot_name.hpp"

#include <array>
#include <charconv>

namespace caucus::persistence {

namespace {

constexpr std::string_view name_prefix = "snap";
constexpr std::string_view unfinished_suffix = ".tmp";
constexpr size_t digits_max = 16;
constexpr size_t number_bytes = 1 + digits_max; // "-" and the digits.
constexpr size_t name_bytes = name_prefix.size() + 3 * number_bytes;

void append(std::string& name, uint64_t x) {
  std::array<char, digits_max> digits{};
  const auto [end, failed] = std::to_chars(digits.data(), digits.data() + digits.size(), x, 16);
  const std::string_view number{digits.data(), static_cast<size_t>(end - digits.data())};
  name.append("-").append(digits.size() - number.size(), '0').append(number);
}

uint64_t number_at(std::string_view name, size_t place) {
  const auto digits = name.substr(name_prefix.size() + place * number_bytes + 1, digits_max);
  uint64_t x = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), x, 16);
  return x;
}

} // namespace

std::string file_name(const snapshot_name& x) {
  std::string name{name_prefix};
  append(name, x.group.value());
  append(name, x.last.term.value());
  append(name, x.last.index.value());
  return name;
}

std::string unfinished_file_name(const snapshot_name& x, snapshot_uid uid) {
  auto name = file_name(x);
  append(name, uid.value());
  return name.append(unfinished_suffix);
}

std::optional<snapshot_name> parse_snapshot_name(std::string_view name) {
  if (name.size() != name_bytes)
    return std::nullopt;
  const snapshot_name x{group_id{number_at(name, 0)},
                        {index_t{number_at(name, 2)}, term_t{number_at(name, 1)}}};
  // The spelling must be the one that we write, else two names could mean one snapshot.
  if (file_name(x) != name)
    return std::nullopt;
  return x;
}

bool is_unfinished_snapshot_name(std::string_view name) {
  if (name.size() != name_bytes + number_bytes + unfinished_suffix.size())
    return false;
  const auto finished = parse_snapshot_name(name.substr(0, name_bytes));
  return finished && unfinished_file_name(*finished, snapshot_uid{number_at(name, 3)}) == name;
}

} // namespace caucus::persistence
