#pragma once

#include "apps/sim/hash.hpp"
#include "membership/configuration.hpp"
#include "raft/message.hpp"

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

namespace caucus::sim {

/// Everything that happened in a run as one number, and as text if somebody wants to read it. Two
/// runs with the same number did the same.
class trace {
public:
  /// `to` may be null; it gets one line per event from number `first_event` on.
  explicit trace(uint64_t seed, std::ostream* to = nullptr, uint64_t first_event = 0)
    : hash_{seed}, to_{to}, first_event_{first_event} {}

  template <class... Words>
  void note(Words... words) noexcept {
    (hash_.word(static_cast<uint64_t>(words)), ...);
  }
  void note(const raft::message& x) noexcept;

  [[nodiscard]] bool is_read() const noexcept { return to_ != nullptr; }
  void line(int64_t at_us, uint64_t event, unsigned node, std::string_view what);

  [[nodiscard]] uint64_t hash() const noexcept { return hash_.value(); }

private:
  hasher hash_;
  std::ostream* to_;
  uint64_t first_event_;
};

/// For people: the message's kind and all that it says.
std::string to_string(const raft::message& x);
std::string to_string(const raft::entry& x);
std::string to_string(const membership::configuration& x);

} // namespace caucus::sim
