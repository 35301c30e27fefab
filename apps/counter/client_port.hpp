#pragma once

#include <caucus/error.hpp>
#include <caucus/types.hpp>

namespace counter {

/// Holds an address before anything listens on it: a start that would fail for a port in use shall
/// fail before the node has written anything. CAF opens its own socket later, so this one is bound
/// with SO_REUSEADDR and never listens.
class client_port {
public:
  static caucus::result<client_port> reserve(const caucus::endpoint& where);

  client_port(client_port&& other) noexcept : descriptor_{std::exchange(other.descriptor_, -1)} {}
  client_port& operator=(client_port&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~client_port();

private:
  explicit client_port(int descriptor) noexcept : descriptor_{descriptor} {}

  int descriptor_;
};

} // namespace counter
