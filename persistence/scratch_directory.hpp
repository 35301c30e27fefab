#pragma once

#include "persistence/file.hpp"

#include <map>

namespace caucus::persistence {

/// A directory in memory, for files that only pass through: small snapshots on their way between
/// the log and a peer. Nothing in it survives the object, but open files stay readable. One thread.
class scratch_directory final : public directory {
public:
  [[nodiscard]] std::string path() const override { return "(memory)"; }
  result<std::vector<std::string>> list() override;
  result<std::unique_ptr<file>> open(std::string_view name) override;
  result<std::unique_ptr<file>> create(std::string_view name) override;
  result<void> rename(std::string_view from, std::string_view to) override;
  result<void> remove(std::string_view name) override;
  result<void> sync() override { return {}; }

private:
  using content = std::shared_ptr<std::vector<std::byte>>;

  class scratch_file;

  std::map<std::string, content, std::less<>> files_;
};

} // namespace caucus::persistence
