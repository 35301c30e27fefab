#pragma once

#include "base/errc.hpp"

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace caucus {

/// An environment's failure: a code for programs and a sentence for people that names what, where
/// and what to do. Programmer errors are `CAUCUS_ASSERT`'s.
struct error {
  errc code = errc::none;
  std::string what;

  friend bool operator==(const error&, const error&) = default;
};

inline std::string to_string(const error& x) {
  return std::string{to_string(x.code)} + ": " + x.what;
}

/// Either a value or the error that kept us from having one.
template <class T>
class [[nodiscard]] result {
public:
  result(T value) : content_{std::move(value)} {}
  result(error reason) : content_{std::move(reason)} {}

  [[nodiscard]] bool ok() const noexcept { return content_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  T& value() & { return std::get<0>(content_); }
  const T& value() const& { return std::get<0>(content_); }
  T&& value() && { return std::get<0>(std::move(content_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const error& reason() const& { return std::get<1>(content_); }
  error&& reason() && { return std::get<1>(std::move(content_)); }

private:
  std::variant<T, error> content_;
};

template <>
class [[nodiscard]] result<void> {
public:
  result() = default;
  result(error reason) : reason_{std::move(reason)} {}

  [[nodiscard]] bool ok() const noexcept { return !reason_.has_value(); }
  explicit operator bool() const noexcept { return ok(); }
  const error& reason() const& { return *reason_; }
  error&& reason() && { return *std::move(reason_); }

private:
  std::optional<error> reason_;
};

} // namespace caucus
