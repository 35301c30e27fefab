#pragma once

#include <cstdint>
#include <limits>

/// What clients did to simple objects and what they were told: the raw material of a judgement on
/// linearizability. Knows nothing of consensus, so that any test may use it.
namespace caucus::sim::history {

/// One step on one object, which holds a number (0: nothing was ever put).
struct action {
  enum class kind : uint8_t {
    get,
    add, ///< A counter's step.
    put,
    cas, ///< Puts `argument` if the object holds `expected`.
  };

  enum kind kind = kind::get;
  uint32_t object = 0;
  int64_t argument = 0;
  int64_t expected = 0;

  friend bool operator==(const action&, const action&) = default;
};

/// get: the value; add: the value after it; put and cas: the value before.
struct answer {
  int64_t value = 0;
  bool is_ok = false; ///< cas: whether it put.

  friend bool operator==(const answer&, const answer&) = default;
};

/// What the action does to an object and says about it. Sums wrap.
constexpr answer apply(int64_t& object, const action& x) noexcept {
  const auto before = object;
  switch (x.kind) {
    case action::kind::get: return {before, true};
    case action::kind::add:
      object =
        static_cast<int64_t>(static_cast<uint64_t>(before) + static_cast<uint64_t>(x.argument));
      return {object, true};
    case action::kind::put: object = x.argument; return {before, true};
    case action::kind::cas:
      if (before == x.expected)
        object = x.argument;
      return {before, before == x.expected};
  }
  return {};
}

/// An action as a client saw it. Of two equal times the call is taken to come first.
struct operation {
  static constexpr int64_t never = std::numeric_limits<int64_t>::max();

  uint32_t client = 0;
  action what;
  int64_t called = 0;
  int64_t returned = never; ///< `never`: its fate is unknown, it may take effect at any later time.
  answer told;              ///< If it returned.

  [[nodiscard]] bool is_open() const noexcept { return returned == never; }
};

} // namespace caucus::sim::history
