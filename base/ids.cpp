#include "base/ids.hpp"

#include <array>
#include <charconv>

namespace caucus {

std::string to_string(cluster_id x) {
  std::array<char, 16> digits{};
  const auto [end, failed] =
    std::to_chars(digits.data(), digits.data() + digits.size(), x.value(), 16);
  return {digits.data(), end};
}

} // namespace caucus
