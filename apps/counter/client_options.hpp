#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace counter {

/// Where a node serves its clients.
struct address {
  std::string host;
  uint16_t port = 0;
};

std::string to_string(const address& x);

/// What all client commands share.
struct client_options {
  std::vector<address> nodes;
  /// When an operation is given up.
  std::chrono::milliseconds timeout{10000};
  /// When an attempt of it counts as lost, and another node is tried: as long as an election takes.
  std::chrono::milliseconds try_timeout{1500};
};

/// Parses `HOST:PORT,HOST:PORT,…`; throws std::invalid_argument that names what is wrong.
std::vector<address> parse_addresses(std::string_view text);

} // namespace counter
