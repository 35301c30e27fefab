#pragma once

#include <stdexcept>
#include <string>

namespace caucus::sim {

/// An oracle has seen what must never be. Ends the run.
class violation : public std::runtime_error {
public:
  violation(std::string invariant, const std::string& detail)
    : std::runtime_error{detail}, invariant_{std::move(invariant)} {}

  [[nodiscard]] const std::string& invariant() const noexcept { return invariant_; }

private:
  std::string invariant_;
};

/// Text for `violation`s, which are rare: any mix of strings and numbers.
template <class... Parts>
std::string text(const Parts&... parts) {
  std::string out;
  const auto add = [&out](const auto& x) {
    if constexpr (requires { out.append(x); })
      out.append(x);
    else if constexpr (requires { x.value(); })
      out.append(std::to_string(x.value()));
    else
      out.append(std::to_string(x));
  };
  (add(parts), ...);
  return out;
}

} // namespace caucus::sim
