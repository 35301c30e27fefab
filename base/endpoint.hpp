#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace caucus {

/// Where a node listens or is reached: `HOST:PORT`, an IPv6 address in brackets.
struct endpoint {
  std::string host;
  uint16_t port = 0;

  friend bool operator==(const endpoint&, const endpoint&) = default;
};

/// Parses `HOST:PORT`; the error names the text and what is wrong with it.
result<endpoint> parse_endpoint(std::string_view text);
std::string to_string(const endpoint& x);

/// Whether the host means "every address of this machine" (0.0.0.0, ::, * or nothing): fine to
/// listen on, useless to tell others.
bool is_unspecified(const endpoint& x) noexcept;

} // namespace caucus
