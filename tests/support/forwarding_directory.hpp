#pragma once

#include "persistence/file.hpp"

namespace caucus::testing {

/// Hands everything on to another directory, which must outlive it. A test overrides what it wants
/// to disturb.
class forwarding_directory : public persistence::directory {
public:
  explicit forwarding_directory(persistence::directory& inner) : inner_{inner} {}

  [[nodiscard]] std::string path() const override { return inner_.path(); }
  result<std::vector<std::string>> list() override { return inner_.list(); }
  result<std::unique_ptr<persistence::file>> open(std::string_view name) override {
    return inner_.open(name);
  }
  result<std::unique_ptr<persistence::file>> create(std::string_view name) override {
    return inner_.create(name);
  }
  result<void> rename(std::string_view from, std::string_view to) override {
    return inner_.rename(from, to);
  }
  result<void> remove(std::string_view name) override { return inner_.remove(name); }
  result<void> sync() override { return inner_.sync(); }

private:
  persistence::directory& inner_;
};

} // namespace caucus::testing
